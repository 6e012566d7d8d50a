//! A teacher that is trained beside its student.
//!
//! Ravi 2017 (*ProjectionNet*, section 3) minimizes `H(y, P_T) + lambda H(P_T, P_S) + H(y, P_S)` over a trainer and a projection
//! network at once. Here the trainer's parameters follow its own first part: in each step it tells what it holds likely, then
//! both learn from the same batch. So there are no soft targets to keep, and the student is taught from the first step on, by a
//! teacher that is no further than it could follow.

use std::panic::resume_unwind;
use std::thread;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::batches::Batch;
use super::config::Joint;
use super::device::ComputeDevice;
use super::layer::State;
use super::learner::Learner;
use super::network::Evaluation;
use super::sampler::Sampler;
use super::step::StepOptions;
use crate::corpus::WordTable;
use crate::distillation::Soft;

/// The teacher, and how much it tells.
pub struct JointTeacher<'a> {
    pub learner: Learner<'a>,
    top: usize,
}

impl<'a> JointTeacher<'a> {
    /// A teacher that knows nothing yet.
    pub fn new(joint: &'a Joint, table: &WordTable, device: &ComputeDevice) -> JointTeacher<'a> {
        JointTeacher { learner: Learner::new(&joint.teacher, table, device), top: joint.top.min(table.entries.len()) }
    }

    /// Begins the text anew.
    pub fn rewind(&mut self) {
        self.learner.rewind();
    }

    /// What it holds likely behind each token of a batch; then it learns from that batch itself.
    pub fn teach(&mut self, batch: &Batch, number: u64, sampler: &Sampler, random: &mut StdRng) -> Result<Soft> {
        let soft = self.tell(batch, number);
        let options = StepOptions::new(self.learner.config, sampler);
        self.learner.learn(batch, number, &options, &mut StdRng::seed_from_u64(random.random()))?;
        Ok(soft)
    }

    /// The most probable words, without dropout, from where the text stands; the shards side by side.
    fn tell(&self, batch: &Batch, number: u64) -> Soft {
        let Learner { network, states, config, .. } = &self.learner;
        let evaluation = network.evaluation(self.learner.phase_of(number));
        let shards = batch.split(config.training.shards);
        let told: Vec<Soft> = thread::scope(|scope| {
            let threads: Vec<_> = (0..)
                .zip(&shards)
                .map(|(index, shard)| {
                    let part = |state: &State| state.rows(index * shard.size, shard.size);
                    let states = states.iter().map(part).collect();
                    let evaluation = &evaluation;
                    scope.spawn(move || self.tell_shard(shard, states, evaluation))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        joined(told, batch)
    }

    fn tell_shard(&self, shard: &Batch, mut states: Vec<State>, evaluation: &Evaluation) -> Soft {
        let network = &self.learner.network;
        let outputs = network.outputs(shard, &mut states, evaluation);
        network.most_probable(outputs, evaluation, self.top)
    }
}

/// What was told of the shards, in the order of the batch.
fn joined(shards: Vec<Soft>, batch: &Batch) -> Soft {
    let (size, positions) = (batch.size / shards.len(), batch.inputs.len() / shards.len());
    let mut all = Soft { top: shards[0].top, ..Soft::default() };
    for shard in shards {
        all.rows.extend(shard.rows);
        all.log_probabilities.extend(shard.log_probabilities);
    }
    let place = move |at: usize| {
        let (step, sequence) = (at / batch.size, at % batch.size);
        sequence / size * positions + step * size + sequence % size
    };
    all.select(batch.inputs.len(), (0..batch.inputs.len()).map(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Entry;
    use crate::training::config::Config;
    use crate::training::config::tests::GOOD;
    use crate::training::slices;

    fn table() -> WordTable {
        let entry = |count: usize| Entry::special(format!("token {count}"), count as f64);
        WordTable { specials: 40, entries: (1..=40).map(entry).collect() }
    }

    #[test]
    fn what_is_told_is_what_the_teacher_holds_likely() {
        let teacher: Config = toml::from_str(GOOD).unwrap();
        let device = ComputeDevice::by_name("flex").unwrap();
        let joint = Joint { teacher, top: 5 };
        let mut teacher = JointTeacher::new(&joint, &table(), &device);
        let tokens = |seed: u32| (0..32).map(|at| (at * seed + 3) % 40).collect::<Vec<u32>>();
        let batch = Batch::new(4, tokens(7), tokens(11));
        let sampler = Sampler::new(&table().counts()).unwrap();
        let random = &mut StdRng::seed_from_u64(1);
        for number in 0..2 {
            // Two shards and one say the same, in the order of the batch.
            let Learner { network, states, .. } = &teacher.learner;
            let evaluation = network.evaluation(teacher.learner.phase_of(number));
            let outputs = network.outputs(&batch, &mut states.clone(), &evaluation);
            let logits = slices::take(network.logits(outputs, &evaluation));
            let before: Vec<Vec<f32>> =
                network.parameters.iter().map(|parameter| slices::take(parameter.value.clone())).collect();
            let soft = teacher.teach(&batch, number, &sampler, random).unwrap();
            for (position, logits) in logits.chunks_exact(40).enumerate() {
                let normalizer = logits.iter().map(|x| x.exp()).sum::<f32>().ln();
                let place = 5 * position..5 * (position + 1);
                let told: Vec<f32> =
                    soft.rows[place.clone()].iter().map(|&row| logits[row as usize] - normalizer).collect();
                for (told, kept) in told.iter().zip(&soft.log_probabilities[place]) {
                    assert!((told - kept).abs() < 1e-4, "{told} {kept}");
                }
                assert!(told.is_sorted_by(|a, b| a >= b));
                assert_eq!(logits.iter().filter(|&&x| x - normalizer > told[4] + 1e-6).count(), 4);
            }
            let after =
                teacher.learner.network.parameters.iter().map(|parameter| slices::take(parameter.value.clone()));
            assert!(after.zip(before).any(|(after, before)| after != before), "it learns");
        }
    }
}
