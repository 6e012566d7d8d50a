//! A training run from first to last step, with its checkpoints.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::batches::Batches;
use super::checkpoint::{self, Checkpoint, JOINT_TEACHER, Lineage, Position, STUDENT};
use super::config::Config;
use super::device::ComputeDevice;
use super::joint::JointTeacher;
use super::learner::{Learned, Learner};
use super::log::{Event, Log};
use super::sampler::Sampler;
use super::step::StepOptions;
use super::typist::Typist;
use crate::corpus::{Manifest, TokenReader, WordTable, read_corpus};
use crate::distillation::SoftReader;
use crate::files::Lock;
use crate::model_file::ModelFile;
use crate::progress::Progress;

/// Steps between lines of the log.
const LOG_EVERY: u64 = 50;

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    Finished(Summary),
    /// Interrupted, with a checkpoint to go on from.
    Interrupted,
}

/// What came of a run.
#[derive(Debug)]
pub struct Summary {
    pub tokens: u64,
    /// Of all sessions.
    pub seconds: f64,
    /// Of the held-out text, if there is any and this session came to it.
    pub perplexity: Option<f64>,
}

/// A run: what it trains, on what, where to.
pub struct Run<'a> {
    pub config: &'a Config,
    pub corpus: &'a Path,
    pub folder: &'a Path,
    pub device: &'a ComputeDevice,
    pub resume: bool,
    /// Model file, or folder of a run, whose weights this one begins with.
    pub init: Option<&'a Path>,
    /// Folder of soft targets, where the config wants to learn from a teacher.
    pub teacher: Option<&'a Path>,
    /// Set from outside to end the run after its current step.
    pub interrupted: &'a AtomicBool,
}

/// A run under way.
struct Trainer<'a> {
    run: &'a Run<'a>,
    student: Learner<'a>,
    /// What is trained beside it, to teach it.
    teacher: Option<JointTeacher<'a>>,
    position: Position,
    lineage: Lineage,
    log: Log,
    /// That of the held-out text when it was last looked at.
    perplexity: Option<f64>,
    /// When this session began, and the seconds that sessions before it took.
    clock: (Instant, f64),
    saved: Instant,
    _lock: Lock,
}

impl Run<'_> {
    /// Trains to the end, or until interrupted.
    pub fn train(&self) -> Result<Ending> {
        checkpoint::check_folder(self.folder, self.resume)?;
        let (manifest, table) = read_corpus(self.corpus)?;
        let counts = table.counts();
        let open = |name: &str| TokenReader::open(&self.corpus.join(name), counts.len());
        let training = &self.config.training;
        let tokens = open("train.tokens")?;
        let batches = Batches::new(&tokens, u64::MAX, training.batch, training.bptt)?;
        let soft = self.soft_targets(&manifest, batches.read_tokens(self.config.steps()))?;
        let batches = batches.with_soft(soft.as_ref());
        // Held-out text that cannot be read must be told now, not after hours of training.
        let held_out = if manifest.valid_tokens > 0 { Some(open("valid.tokens")?) } else { None };
        let limit = training.valid_tokens;
        let held_out = held_out.as_ref().map(|reader| Batches::for_evaluation(reader, limit)).transpose()?;
        let sampler = Sampler::new(&counts)?;
        let typist = Typist::new(self.corpus, &manifest, &table, training.typist_lines)?;
        let options = StepOptions::new(self.config, &sampler);
        let data = Data { batches, held_out, typist, options, sampler: &sampler };
        let corpus = (manifest.checksum != 0).then_some(manifest.checksum);
        let position = Position { teacher: soft.as_ref().map(SoftReader::identity), corpus, ..Position::default() };
        Trainer::start(self, &table, &manifest, position)?.train(&data)
    }

    /// Keeps others from the folder.
    fn lock(&self) -> Result<Lock> {
        let path = self.folder.join("train.lock");
        let lock = Lock::take(&path).with_context(|| format!("cannot write {}", path.display()))?;
        lock.with_context(|| {
            format!("another `lm-tools train` is at work in {}: let it finish, or end it first", self.folder.display())
        })
    }

    /// What the teacher says, if there is one, at least of the first `tokens`.
    fn soft_targets(&self, manifest: &Manifest, tokens: u64) -> Result<Option<SoftReader>> {
        let training = &self.config.training;
        if training.joint.is_some() {
            ensure!(self.teacher.is_none(), "--teacher contradicts training.joint: the config trains a teacher beside");
            return Ok(None);
        }
        match (self.teacher, training.distillation) {
            (None, None) => Ok(None),
            (Some(folder), Some(distillation)) => {
                let reader = SoftReader::open(folder, manifest, tokens)?;
                if let Some(hint) = distillation.hint {
                    ensure!(
                        reader.layout().hint == Some(hint.width),
                        "training.distillation.hint.width = {}, but the soft targets in {} have {} (`lm-tools distill --hints`)",
                        hint.width,
                        folder.display(),
                        reader.layout().hint.map_or("no hints".to_owned(), |width| format!("hints of {width}"))
                    );
                }
                Ok(Some(reader))
            }
            (None, Some(_)) => bail!(
                "the config has training.distillation: name the folder of soft targets (`lm-tools distill`) with --teacher, \
                 or a teacher to train beside as training.joint"
            ),
            (Some(_), None) => bail!("--teacher is of no use without training.distillation in the config"),
        }
    }
}

/// What a run reads.
struct Data<'a> {
    batches: Batches<'a>,
    held_out: Option<Batches<'a>>,
    typist: Option<Typist<'a>>,
    options: StepOptions<'a>,
    sampler: &'a Sampler,
}

impl<'a> Trainer<'a> {
    fn start(run: &'a Run<'a>, table: &WordTable, manifest: &Manifest, mut position: Position) -> Result<Trainer<'a>> {
        let device = &run.device.device;
        let mut student = Learner::new(run.config, table, run.device);
        let joint = run.config.training.joint.as_deref();
        let mut joint = joint.map(|joint| JointTeacher::new(joint, table, run.device));
        let mut lineage = Lineage::default();
        if let Some(path) = run.init {
            let from = if ModelFile::is_at(path) {
                Checkpoint::of_model(path, run.config, table)?
            } else {
                Checkpoint::read(path)?
            };
            from.restore_common(&mut student.network, run.config, device)?;
            lineage = from.lineage;
        } else if !run.resume {
            ensure!(
                !student.network.needs_trained_weights() || run.config.weights.start > 0.0,
                "optimal-ternary takes threshold and scale from trained weights: set weights.start, or begin with --init"
            );
        }
        if run.resume {
            let checkpoint = Checkpoint::read(run.folder)?;
            ensure!(
                comparable(&checkpoint.config) == comparable(run.config),
                "the run in {} was started with another config (or other --tokens, --seed, --quick): restore that, or begin a new run",
                run.folder.display()
            );
            checkpoint.restore(STUDENT, &mut student, device)?;
            joint.iter_mut().try_for_each(|joint| checkpoint.restore(JOINT_TEACHER, &mut joint.learner, device))?;
            ensure!(
                checkpoint.position.teacher == position.teacher,
                "the run in {} learned from other soft targets: name those with --teacher, or begin a new run",
                run.folder.display()
            );
            ensure!(
                checkpoint.position.corpus.zip(position.corpus).is_none_or(|(began, now)| began == now),
                "the run in {} was started with another corpus: name that with --corpus, or begin a new run",
                run.folder.display()
            );
            (position, lineage) = (checkpoint.position, checkpoint.lineage);
        }
        lineage.add(manifest);
        // Not before: what is refused leaves no folder.
        fs::create_dir_all(run.folder).with_context(|| format!("cannot create {}", run.folder.display()))?;
        let lock = run.lock()?;
        let mut log = Log::open(run.folder, position.step)?;
        log.write(&Event::Start {
            step: position.step,
            parameters: student.network.size(),
            layer_bits: student.network.layer_bits(),
            device: run.device.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let clock = (Instant::now(), position.seconds);
        let saved = Instant::now();
        Ok(Trainer {
            run,
            student,
            teacher: joint,
            position,
            lineage,
            log,
            perplexity: None,
            clock,
            saved,
            _lock: lock,
        })
    }

    fn train(mut self, data: &Data) -> Result<Ending> {
        let (steps, training) = (self.run.config.steps(), &self.run.config.training);
        let per_step = data.batches.tokens();
        let progress = Progress::bar(&self.run.config.name, steps * per_step);
        let passes = self.run.config.steps() as f64 / data.batches.per_pass() as f64;
        progress.line(&format!(
            "{} parameters, {} tokens, {passes:.1} passes",
            self.student.network.size(),
            steps * per_step
        ));
        let valid_every = steps.div_ceil(training.valid_runs.max(1));
        let (mut last_log, mut last_step) = (Instant::now(), self.position.step);
        while self.position.step < steps {
            let norm = self.step(data)?;
            let step = self.position.step;
            if step.is_multiple_of(LOG_EVERY) || step == steps {
                let rate = ((step - last_step) * per_step) as f64 / last_log.elapsed().as_secs_f64();
                (last_log, last_step) = (Instant::now(), step);
                let loss = self.log_training(step * per_step, norm, rate)?;
                progress.set(step * per_step, || format!("loss {loss:.3} {rate:.0} tokens/s"));
            }
            if let Some(held_out) = &data.held_out
                && (step.is_multiple_of(valid_every) || step == steps)
            {
                let perplexity = self.validate(held_out, data.typist.as_ref())?;
                progress.line(&format!("{} tokens, held-out perplexity {perplexity:.1}", step * per_step));
            }
            if self.run.interrupted.load(Ordering::Relaxed) {
                self.save()?;
                return Ok(Ending::Interrupted);
            }
            if self.saved.elapsed().as_secs_f64() > 60.0 * training.checkpoint_minutes
                && let Err(error) = self.save()
            {
                // There may be room again by the next one.
                note!("{error:#}; the run goes on");
                self.saved = Instant::now();
            }
        }
        self.save()?;
        self.log.write(&Event::End { step: steps, seconds: self.position.seconds })?;
        Ok(Ending::Finished(Summary {
            tokens: steps * per_step,
            seconds: self.position.seconds,
            perplexity: self.perplexity,
        }))
    }

    /// One update; the norm of its gradient. All that is random in it is drawn from the seed and its number, so that a
    /// resumed run draws the same.
    fn step(&mut self, data: &Data) -> Result<f64> {
        let training = &self.run.config.training;
        let number = self.position.step;
        let random = &mut StdRng::seed_from_u64(training.seed ^ (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let index = number % data.batches.per_pass();
        if index == 0 {
            self.student.rewind();
            self.teacher.iter_mut().for_each(JointTeacher::rewind);
        }
        let mut batch = data.batches.read(index)?;
        batch.reset_at_line_ends(training.reset, random);
        if let Some(teacher) = &mut self.teacher {
            batch.soft = Some(teacher.teach(&batch, number, data.sampler, random)?);
        }
        let Learned { loss, norm } = self.student.learn(&batch, number, &data.options, random)?;
        self.position.step += 1;
        self.position.loss_sum += loss;
        self.position.loss_count += 1;
        Ok(norm)
    }

    fn log_training(&mut self, tokens: u64, gradient_norm: f64, tokens_per_second: f64) -> Result<f64> {
        let Position { step, loss_sum, loss_count, .. } = self.position;
        let loss = loss_sum / loss_count.max(1) as f64;
        (self.position.loss_sum, self.position.loss_count) = (0.0, 0);
        self.position.seconds = self.seconds();
        self.log.write(&Event::Train {
            step,
            tokens,
            loss,
            learning_rate: self.student.learning_rate(step - 1),
            gradient_norm,
            tokens_per_second,
            seconds: self.position.seconds,
        })?;
        Ok(loss)
    }

    /// Perplexity of held-out text, its lines as one stream, and what a typist of it saves.
    fn validate(&mut self, held_out: &Batches, typist: Option<&Typist>) -> Result<f64> {
        // That of the step just done: weights that the next one will quantize first are still float.
        let phase = self.student.phase_of(self.position.step.saturating_sub(1));
        let network = &self.student.network;
        let evaluation = network.evaluation(phase);
        let mut states = network.zero_states(held_out.sequences());
        let mut sum = 0.0;
        for index in 0..held_out.per_pass() {
            sum += network.negative_log_likelihood(&held_out.read(index)?, &mut states, &evaluation);
        }
        let tokens = held_out.per_pass() * held_out.tokens();
        let loss = sum / tokens as f64;
        // The typist needs the model as it would be exported: nothing to tell before the weights are transformed.
        let typist = typist.filter(|_| phase.quantized);
        let typing = typist.map(|typist| typist.measure(self.run.config, network)).transpose()?;
        let perplexity = loss.exp();
        self.perplexity = Some(perplexity);
        self.log.write(&Event::Valid { step: self.position.step, tokens, loss, perplexity, typing })?;
        Ok(perplexity)
    }

    fn seconds(&self) -> f64 {
        self.clock.1 + self.clock.0.elapsed().as_secs_f64()
    }

    fn save(&mut self) -> Result<()> {
        self.position.seconds = self.seconds();
        let teacher = self.teacher.iter().map(|teacher| (JOINT_TEACHER, &teacher.learner));
        let learners: Vec<_> = [(STUDENT, &self.student)].into_iter().chain(teacher).collect();
        checkpoint::save(self.run.folder, &learners, self.position, &self.lineage)?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// A config but for what may change between sessions of a run.
fn comparable(config: &Config) -> Config {
    let mut config = config.clone();
    config.corpus = None;
    config.training.checkpoint_minutes = 1.0;
    config.training.valid_runs = 1;
    config.training.valid_tokens = 1;
    config.training.typist_lines = 0;
    config
}
