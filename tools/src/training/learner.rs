//! A network under training: its weights, where in the text it stands, and what one update does to both.

use anyhow::{Result, bail};
use burn::tensor::Tensor;
use rand::rngs::StdRng;

use super::adam::{Gradient, Update, update_all};
use super::batches::Batch;
use super::config::{Config, Normalization};
use super::device::ComputeDevice;
use super::layer::State;
use super::network::{Network, Phase};
use super::step::{Step, StepOptions};
use crate::corpus::WordTable;

/// A network that learns as its config says.
pub struct Learner<'a> {
    pub config: &'a Config,
    pub network: Network,
    /// Of each layer, where its sequences stand.
    pub states: Vec<State>,
    fused: bool,
}

/// What an update tells.
pub struct Learned {
    /// Mean loss in nats.
    pub loss: f64,
    /// Of the gradient, before it is clipped.
    pub norm: f64,
}

impl<'a> Learner<'a> {
    /// A network with random weights.
    pub fn new(config: &'a Config, table: &WordTable, device: &ComputeDevice) -> Learner<'a> {
        let network = Network::new(config, table, device.fused, &device.device);
        let states = network.zero_states(config.training.batch);
        Learner { config, network, states, fused: device.fused }
    }

    /// Begins the text anew.
    pub fn rewind(&mut self) {
        self.states = self.network.zero_states(self.config.training.batch);
    }

    /// Update number `number`, counted from 0.
    pub fn learn(&mut self, batch: &Batch, number: u64, options: &StepOptions, random: &mut StdRng) -> Result<Learned> {
        let training = &self.config.training;
        let phase = self.phase_of(number);
        if let Some(Normalization { open, .. }) = self.config.normalization
            && number == self.config.first_frozen()
            && open != 1.0
        {
            self.network.open_output_gates(open);
            self.states.iter_mut().for_each(|state| state.h = state.h.clone() * open);
        }
        if number == self.config.first_quantized() {
            self.network.start_quantization();
        }
        let step = self.network.step(batch, &mut self.states, phase, options, random);
        let (loss, norm) = loss_and_norm(&step);
        if !(loss.is_finite() && norm.is_finite()) {
            bail!(
                "the loss is no longer finite at step {number}: lower training.learning_rate or training.clip and begin another run, \
                 from this one's last checkpoint (--init), if it has one that is good, or anew"
            );
        }
        if training.skip.is_some_and(|skip| norm > skip) {
            // Some sequence is in states where what is small grows from step to step: its gradient tells nothing of the text, and
            // an update by it would bring others there.
            self.rewind();
            return Ok(Learned { loss, norm });
        }
        let update = Update {
            learning_rate: self.learning_rate(number),
            scale: (training.clip / norm.max(training.clip)).min(1.0),
            decay: training.weight_decay,
            step: number + 1,
            fused: self.fused,
        };
        update_all(&mut self.network.parameters, step.gradients, update);
        if !phase.frozen {
            self.network.follow_statistics(step.norms, training.shards);
        }
        Ok(Learned { loss, norm })
    }

    /// What a step does.
    pub fn phase_of(&self, step: u64) -> Phase {
        Phase { quantized: step >= self.config.first_quantized(), frozen: step >= self.config.first_frozen() }
    }

    /// The learning rate of a step: warm-up, plateau, linear decay.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let training = &self.config.training;
        let done = step as f64 / self.config.steps() as f64;
        let shape = if step < training.warmup {
            (step + 1) as f64 / training.warmup as f64
        } else if done < training.decay_start {
            1.0
        } else {
            let decay = (done - training.decay_start) / (1.0 - training.decay_start).max(f64::MIN_POSITIVE);
            1.0 - decay * (1.0 - training.final_rate)
        };
        training.learning_rate * shape
    }
}

/// The loss, and the norm of the whole gradient. Read together: a device is waited for once.
fn loss_and_norm(step: &Step) -> (f64, f64) {
    let squares = step.gradients.iter().flatten().map(Gradient::square);
    let told = Tensor::cat([step.loss.clone()].into_iter().chain(squares).collect(), 0);
    let told: Vec<f32> = told.into_data().try_into_vec().expect("float tensors hold f32");
    (told[0].into(), told[1..].iter().map(|&square| f64::from(square)).sum::<f64>().sqrt())
}
