//! The whole network: embedding, recurrent layers, projection, output rows.

use std::ops::Range;

use super::bias::add_and_max;
use super::lsh::{LshInput, LshScratch};
use super::{Activations, Gru, Lstm, Matrix, Table, TableInput};
use crate::Error;
use crate::format::{Bias, CellKind, InputParts, LayerParts, Lsh, ModelParts, NOTHING_TO_TIE, NarrowParts, Shape};

/// The weights of a language model, ready to be run. It has no state; one network serves any number of texts.
///
/// A state is a plain slice of [`state_len`](Self::state_len) floats, zeros at the beginning: for each layer its output `h`,
/// then, in an LSTM, its cell state `c`.
#[derive(Clone, Debug)]
pub struct Network {
    shape: Shape,
    input: InputLayer,
    layers: Vec<Layer>,
    /// `output width x hidden`
    projection: Option<Matrix>,
    /// `vocabulary x output width`
    output: Table,
    /// `vocabulary`
    output_bias: Bias,
    activation_bits: Option<u32>,
}

/// What makes a vector of a token.
#[derive(Clone, Debug)]
enum InputLayer {
    /// The output rows, which are the embedding.
    Tied,
    /// `vocabulary x embedding`
    Embedding(Table),
    Lsh(LshInput),
}

/// A token as networks read it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its row, which must be one of the vocabulary.
    pub row: u32,
    /// Its spelling, of which only a network that [reads it](Network::reads_spellings) takes notice.
    pub spelling: &'a str,
}

#[derive(Clone, Debug)]
enum Layer {
    Lstm(Lstm),
    Gru(Gru),
}

/// The memory that a step needs besides its state, taken once.
#[derive(Clone, Debug)]
pub struct Scratch {
    lsh: Option<LshScratch>,
    layers: Vec<LayerScratch>,
    /// `hidden`
    new: Vec<f32>,
    /// `8 hidden`
    gates: Vec<f32>,
    /// `hidden`, the input of the projection.
    top: Option<Activations>,
    /// `output width`
    projected: Vec<f32>,
    /// `output width`
    query: TableInput,
}

#[derive(Clone, Debug)]
struct LayerScratch {
    /// `inputs`
    x: Activations,
    /// `hidden`
    h: Activations,
}

impl Network {
    /// Takes over the network of a model file.
    pub(crate) fn new<W>(parts: ModelParts<Matrix, W>) -> Result<Network, Error> {
        let ModelParts { shape, input, layers, projection, output, output_bias, narrow, .. } = parts;
        let (narrow_embedding, narrow_output, rows) = match narrow {
            Some(NarrowParts { rows, embedding, output }) => (embedding, output, rows),
            None => (None, None, Vec::new()),
        };
        let table = |wide, narrow: Option<Matrix>| Table::new(wide, narrow.map(|matrix| (matrix, &*rows)));
        let output = output.map(|output| table(output, narrow_output));
        let (input, output) = match (input, output) {
            (InputParts::Embedding(rows), None) => (InputLayer::Tied, table(rows, narrow_embedding)),
            (InputParts::Embedding(rows), Some(output)) => {
                (InputLayer::Embedding(table(rows, narrow_embedding)), output)
            }
            (InputParts::Lsh { lsh, weights, bias }, Some(output)) => {
                (InputLayer::Lsh(LshInput::new(lsh, weights, bias.to_f32())), output)
            }
            (InputParts::Lsh { .. }, None) => return Err(Error::corrupt("shape", NOTHING_TO_TIE)),
        };
        Ok(Network {
            shape,
            input,
            layers: layers.into_iter().map(|layer| Layer::new(shape.cell, layer)).collect(),
            projection,
            output,
            output_bias,
            activation_bits: None,
        })
    }

    /// Rounds activations to so many bits, see [`Activations::with_bits`]: for studies of what they cost. It holds for memory
    /// taken by [`scratch`](Self::scratch) from then on.
    pub fn set_activation_bits(&mut self, bits: u32) {
        self.activation_bits = Some(bits);
    }

    /// Kinds and sizes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Floats of a state.
    pub fn state_len(&self) -> usize {
        self.shape.layers * self.layer_state_len()
    }

    fn layer_state_len(&self) -> usize {
        match self.shape.cell {
            CellKind::Lstm => 2 * self.shape.hidden,
            CellKind::Gru => self.shape.hidden,
        }
    }

    /// Memory for steps of this network.
    pub fn scratch(&self) -> Scratch {
        let shape = &self.shape;
        let activations = |matrix: &Matrix| Activations::with_bits(matrix, self.activation_bits);
        let layer = |layer: &Layer| {
            let (input, recurrent) = layer.matrices();
            LayerScratch { x: activations(input), h: activations(recurrent) }
        };
        let lsh = match &self.input {
            InputLayer::Lsh(lsh) => Some(lsh.scratch()),
            _ => None,
        };
        Scratch {
            lsh,
            layers: self.layers.iter().map(layer).collect(),
            new: vec![0.0; shape.hidden],
            gates: vec![0.0; 8 * shape.hidden],
            top: self.projection.as_ref().map(activations),
            projected: vec![0.0; shape.output_width],
            query: self.output.input(self.activation_bits),
        }
    }

    /// How spellings become codes, if tokens are read by their spellings.
    pub fn lsh(&self) -> Option<Lsh> {
        match &self.input {
            InputLayer::Lsh(layer) => Some(layer.lsh()),
            _ => None,
        }
    }

    /// Whether a token is read by its spelling, not by its row.
    pub fn reads_spellings(&self) -> bool {
        self.lsh().is_some()
    }

    /// Reads one token: moves `state` on.
    pub fn step(&self, token: Input, state: &mut [f32], scratch: &mut Scratch) {
        let Scratch { lsh, layers, new, gates, .. } = scratch;
        let states = state.chunks_exact_mut(self.layer_state_len());
        for (index, ((layer, state), LayerScratch { x, h: last })) in
            self.layers.iter().zip(states).zip(layers).enumerate()
        {
            let (h, c) = state.split_at_mut(self.shape.hidden);
            match index {
                0 => match (&self.input, &mut *lsh) {
                    (InputLayer::Lsh(layer), Some(scratch)) => layer.read(token.spelling, scratch, x),
                    (InputLayer::Embedding(rows), _) => rows.read_row(token.row as usize, x),
                    _ => self.output.read_row(token.row as usize, x),
                },
                // The new output of the layer below.
                _ => x.set(new),
            }
            last.set(h);
            match layer {
                Layer::Lstm(lstm) => lstm.step(x, last, c, new, gates),
                Layer::Gru(gru) => gru.step(x, last, new, gates),
            }
            h.copy_from_slice(new);
        }
    }

    /// Makes of a state what the output rows are multiplied with, for [`logits`](Self::logits).
    pub fn query(&self, state: &[f32], scratch: &mut Scratch) {
        let top = state.len() - self.layer_state_len();
        let h = &state[top..top + self.shape.hidden];
        match (&self.projection, &mut scratch.top) {
            (Some(projection), Some(top)) => {
                top.set(h);
                projection.matvec(top, &mut scratch.projected);
                scratch.query.set(&scratch.projected);
            }
            _ => scratch.query.set(h),
        }
    }

    /// The logits of the rows `rows` as the token that follows the state of the last [`query`](Self::query), which no
    /// [`step`](Self::step) affects; `out` is as long as the range. Returns the largest.
    #[inline]
    pub fn logits(&self, rows: Range<usize>, scratch: &Scratch, out: &mut [f32]) -> f32 {
        self.output.matvec_rows(rows.clone(), &scratch.query, out);
        add_and_max(&self.output_bias, rows, out)
    }
}

impl Layer {
    fn new(cell: CellKind, parts: LayerParts<Matrix>) -> Layer {
        let LayerParts { input, recurrent, bias } = parts;
        let bias = bias.to_f32();
        match cell {
            CellKind::Lstm => Layer::Lstm(Lstm { input, recurrent, bias }),
            CellKind::Gru => Layer::Gru(Gru { input, recurrent, bias }),
        }
    }

    /// Those of the input and of the recurrence.
    fn matrices(&self) -> (&Matrix, &Matrix) {
        match self {
            Layer::Lstm(Lstm { input, recurrent, .. }) | Layer::Gru(Gru { input, recurrent, .. }) => (input, recurrent),
        }
    }
}
