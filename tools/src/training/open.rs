//! Larger hidden states of an LSTM that compute the same.
//!
//! Batch-normalized products do not feel how small `h = o tanh(c)` is, and in long trainings it shrinks: output gates near zero, the
//! recurrent weights' folded scale a hundred. Then a state of ordinary size, should one come up, is carried on enlarged, and the network is
//! lost (docs/results.md, "Long texts"). Where output gates are small, `sigmoid(x) ~ exp(x)`: with `ln k` added to their biases `h` is `k`
//! times as large, and what reads it is told so. Where they are not small they open less, so the function changes a little.

use burn::tensor::Tensor;

use super::network::Network;
use super::norm::EPSILON;

/// Which gate of an LSTM is the output's.
const OUTPUT_GATE: usize = 3;

impl Network {
    /// Makes hidden states of normalized LSTM layers nearly `factor` times as large, and what reads them that much less sensitive: the
    /// statistics of the products, the projection or else the untied output rows.
    pub fn open_output_gates(&mut self, factor: f32) {
        let units = self.config.units;
        for (index, layer) in self.places.layers.iter().enumerate() {
            let [_, recurrent] = layer.norms.as_ref().expect("statistics are held, so products are normalized");
            let bias = &mut self.parameters[layer.bias].value;
            let opened = bias.clone().narrow(1, OUTPUT_GATE * units, units) + factor.ln();
            *bias = bias.clone().slice_assign([0..1, OUTPUT_GATE * units..4 * units], opened);
            let next = self.places.layers.get(index + 1).and_then(|layer| layer.norms.as_ref());
            for norm in next.map(|[input, _]| input).into_iter().chain([recurrent]) {
                let statistics = &mut self.parameters[norm.statistics].value;
                let [mean, variance] = [0, 1].map(|row| statistics.clone().narrow(0, row, 1));
                let variance = (variance + EPSILON) * factor.powi(2) - EPSILON;
                *statistics = Tensor::cat(vec![mean * factor, variance], 0);
            }
        }
        let reader = self.places.projection.as_ref().or(self.places.output.as_ref());
        let place = reader.expect("a tied model has a projection here").place();
        self.parameters[place].value = self.parameters[place].value.clone() / factor;
    }
}
