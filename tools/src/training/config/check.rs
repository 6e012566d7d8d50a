//! Refuses what cannot be trained, before anything is read or computed, by the name that the config has for it.

use std::fmt::Display;

use anyhow::{Context, Result, anyhow, bail, ensure};
use lm_wasm::format::Lsh;

use super::{
    Augmented, Cell, Config, Distillation, HintConfig, Joint, ModelConfig, Normalization, Softmax, Training, Weights,
};
use crate::training::batches::LEAST_HELD_OUT;
use crate::training::norm::Method;
use crate::training::weights::{Group, NgramsConfig, Transform};

impl Config {
    /// Refuses what cannot be trained, by name.
    pub fn check(&self) -> Result<()> {
        let ModelConfig { layers, units, embedding, tied, output, lsh, tail, .. } = self.model;
        in_range("model.layers", layers, 1, 4)?;
        in_range("model.units", units, 1, 8192)?;
        in_range("model.embedding", embedding, 1, 8192)?;
        if let Some(output) = output {
            in_range("model.output", output, 1, 8192)?;
            ensure!(!tied, "model.output contradicts model.tied: tied rows are as wide as the embedding");
        }
        if let Some(lsh) = lsh {
            Lsh::from(lsh).check().map_err(|error| anyhow!("model.lsh: {error}"))?;
            ensure!(!tied, "model.tied contradicts model.lsh: there is no embedding that the output could be tied to");
        }
        if let Some(tail) = tail {
            in_range("model.tail.after", tail.after, 1, usize::MAX)?;
            let output = self.model.output_width();
            in_range("model.tail.width", tail.width, 1, if lsh.is_some() { output } else { output.min(embedding) })?;
        }
        self.weights.check(&self.model, self.training.softmax)?;
        self.check_normalization()?;
        ensure!(
            self.model.tied || self.training.augmented.is_none(),
            "training.augmented takes the likeness of words from tied rows: set model.tied"
        );
        self.training.check()
    }

    fn check_normalization(&self) -> Result<()> {
        let Some(Normalization { method, gain, freeze, open }) = self.normalization else { return Ok(()) };
        positive("normalization.gain", gain)?;
        share("normalization.freeze", freeze, true)?;
        positive("normalization.open", f64::from(open))?;
        if open == 1.0 {
            return Ok(());
        }
        ensure!(
            self.model.cell == Cell::Lstm && method != Method::Weight,
            "normalization.open is for LSTMs with batch or layer normalization"
        );
        ensure!(
            freeze < 1.0,
            "normalization.open acts where the averages are held: normalization.freeze must be less than 1"
        );
        let projects = self.model.has_projection();
        ensure!(
            projects || !self.model.tied && self.training.ngrams.is_none(),
            "normalization.open: rows that are tied or share n-grams, as wide as the layer, cannot take the factor in; \
             a projection can (narrower rows)"
        );
        let (reader, name) =
            if projects { (self.weights.projection, "projection") } else { (self.weights.output, "output") };
        ensure!(
            reader.follows_scale(),
            "normalization.open: weights.{name} has levels of its own, which would not follow the factor"
        );
        Ok(())
    }
}

impl Training {
    fn check(&self) -> Result<()> {
        in_range("training.batch", self.batch, 1, 4096)?;
        in_range("training.bptt", self.bptt, 1, 1024)?;
        in_range("training.shards", self.shards, 1, 256)?;
        ensure!(
            self.batch.is_multiple_of(self.shards),
            "training.batch = {} is no multiple of training.shards = {}",
            self.batch,
            self.shards
        );
        ensure!(self.tokens > 0, "training.tokens = 0: nothing to train");
        ensure!(
            self.valid_tokens >= LEAST_HELD_OUT,
            "training.valid_tokens = {} is too few: {LEAST_HELD_OUT} or more",
            self.valid_tokens
        );
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("clip", self.clip),
            ("checkpoint_minutes", self.checkpoint_minutes),
        ] {
            positive(&format!("training.{name}"), value)?;
        }
        self.skip.map_or(Ok(()), |skip| positive("training.skip", skip))?;
        self.clip_state.map_or(Ok(()), |clip| positive("training.clip_state", f64::from(clip)))?;
        ensure!(
            self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
            "training.weight_decay = {} must not be negative",
            self.weight_decay
        );
        share("training.decay_start", self.decay_start, true)?;
        share("training.final_rate", self.final_rate, true)?;
        share("training.reset", self.reset, true)?;
        share("training.dropout.input", self.dropout.input, false)?;
        share("training.dropout.output", self.dropout.output, false)?;
        share("training.dropout.recurrent", self.dropout.recurrent, false)?;
        if let Some(Distillation { lambda, temperature, hint }) = self.distillation {
            positive("training.distillation.lambda", lambda)?;
            positive("training.distillation.temperature", temperature)?;
            if let Some(HintConfig { weight, width }) = hint {
                positive("training.distillation.hint.weight", weight)?;
                in_range("training.distillation.hint.width", width, 1, 8192)?;
            }
        }
        if let Some(joint) = &self.joint {
            joint.check(self)?;
        }
        if let Some(Augmented { weight, temperature }) = self.augmented {
            positive("training.augmented.weight", weight)?;
            positive("training.augmented.temperature", temperature)?;
        }
        if let Some(NgramsConfig { shortest, longest, vectors }) = self.ngrams {
            in_range("training.ngrams.longest", longest, 1, 16)?;
            in_range("training.ngrams.shortest", shortest, 1, longest)?;
            in_range("training.ngrams.vectors", vectors, 1, 1 << 24)?;
        }
        if let Softmax::Sampled { negatives } = self.softmax {
            in_range("training.softmax.negatives", negatives, 1, 1 << 20)?;
        }
        Ok(())
    }
}

impl Joint {
    fn check(&self, student: &Training) -> Result<()> {
        in_range("training.joint.top", self.top, 1, 1024)?;
        let distillation =
            student.distillation.context("training.joint teaches nobody without training.distillation")?;
        ensure!(
            distillation.hint.is_none(),
            "training.distillation.hint: a teacher that is trained beside (training.joint) gives no hints"
        );
        let teacher = &self.teacher;
        ensure!(
            teacher.training.distillation.is_none() && teacher.training.joint.is_none(),
            "training.joint.teacher has training.distillation: a teacher that is trained beside learns from the text alone"
        );
        teacher.check().context("training.joint.teacher")
    }
}

impl Weights {
    fn check(&self, model: &ModelConfig, softmax: Softmax) -> Result<()> {
        for (name, transform) in [
            ("embedding", self.embedding),
            ("lsh", self.lsh),
            ("input", self.input),
            ("recurrent", self.recurrent),
            ("projection", self.projection),
            ("output", self.output),
        ] {
            transform.check().with_context(|| format!("weights.{name}"))?;
        }
        for (name, transform) in [("embedding", self.embedding), ("output", self.output)] {
            ensure!(
                model.tail.is_none() || matches!(transform, Transform::Float | Transform::Linear { .. }),
                "weights.{name}: the zeros of narrow rows (model.tail) would count in this method's mean: \
                 use linear or float"
            );
        }
        if let Some(init) = self.init {
            positive("weights.init", init)?;
        }
        share("weights.start", self.start, false)?;
        self.check_gates(model.cell)?;
        ensure!(
            model.lsh.is_none() || self.embedding == Transform::Float,
            "weights.embedding is set, but this model reads spellings: set weights.lsh"
        );
        ensure!(
            model.lsh.is_some() || self.lsh == Transform::Float,
            "weights.lsh is set, but this model reads rows of an embedding (there is no model.lsh)"
        );
        ensure!(
            model.has_projection() || self.projection == Transform::Float,
            "weights.projection is set, but this model has no projection"
        );
        ensure!(
            !model.tied || self.output == Transform::Float,
            "weights.output is set, but the output rows are tied to the embedding: set weights.embedding"
        );
        // A step that touches some rows of a table does not see the threshold and scale of all of it.
        let partly = |tied_rows: bool| softmax != Softmax::Full || !tied_rows;
        for (name, transform, partly) in
            [("embedding", self.embedding, partly(model.tied)), ("output", self.output, softmax != Softmax::Full)]
        {
            let takes_rows = matches!(transform, Transform::Codebook { .. }) || transform.group() == Group::Output;
            ensure!(
                takes_rows || !partly,
                "weights.{name}: per = \"matrix\" needs all rows in each step, and this training touches some: \
                 say per = \"output\""
            );
        }
        Ok(())
    }

    fn check_gates(&self, cell: Cell) -> Result<()> {
        for (name, gate) in &self.gates {
            ensure!(
                cell.gate_names().contains(&name.as_str()),
                "weights.gates.{name}: the cell has the gates {}",
                cell.gate_names().join(", ")
            );
            for (matrix, transform) in [("input", gate.input), ("recurrent", gate.recurrent)] {
                transform
                    .map_or(Ok(()), |transform| transform.check())
                    .with_context(|| format!("weights.gates.{name}.{matrix}"))?;
            }
        }
        Ok(())
    }
}

fn positive(name: &str, value: impl Into<f64> + Display + Copy) -> Result<()> {
    ensure!(value.into() > 0.0 && value.into().is_finite(), "{name} = {value} must be greater than 0");
    Ok(())
}

fn share(name: &str, value: f64, may_be_one: bool) -> Result<()> {
    let inside = value >= 0.0 && if may_be_one { value <= 1.0 } else { value < 1.0 };
    ensure!(inside, "{name} = {value} must be a share of 1");
    Ok(())
}

fn in_range(name: &str, value: usize, low: usize, high: usize) -> Result<()> {
    if !(low..=high).contains(&value) {
        bail!("{name} = {value} is not in {low} to {high}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::GOOD;
    use super::*;

    fn error_of(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        error_of_text(&GOOD.replace(from, to))
    }

    fn error_of_text(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        format!("{:#}", Config::read(&path).unwrap_err())
    }

    #[test]
    fn bad_configs_are_refused_by_name() {
        assert!(error_of("tied = true", "tied = true\noutput = 8").contains("model.output contradicts model.tied"));
        assert!(error_of("units = 32", "units = 0").contains("model.units = 0"));
        assert!(error_of("units = 32", "unit = 32").contains("unknown field `unit`"));
        assert!(error_of("bits = 4", "bits = 40").contains("weights.embedding"));
        assert!(error_of("batch = 4", "batch = 0").contains("training.batch = 0"));
        assert!(error_of("batch = 4", "batch = 4\nvalid_tokens = 20").contains("training.valid_tokens = 20"));
        let ternary = |component: &str| format!("{component} = {{ method = \"ternary\" }}\n[training]");
        assert!(error_of("[training]", &ternary("output")).contains("weights.output is set"));
        let trit = |per: &str| format!("embedding = {{ method = \"ternary\", per = \"{per}\" }}");
        let linear = "embedding = { method = \"linear\", bits = 4 }";
        let tail = |tail: &str| format!("tied = true\ntail = {tail}");
        assert!(error_of("tied = true", &tail("{ after = 5, width = 17 }")).contains("model.tail.width = 17"));
        let text = GOOD.replace("tied = true", &tail("{ after = 5, width = 8 }")).replace(linear, &trit("output"));
        assert!(error_of_text(&text).contains("weights.embedding: the zeros of narrow rows"));
        let square = GOOD.replace("units = 32", "units = 16");
        assert!(error_of_text(&square.replace("[training]", &ternary("projection"))).contains("has no projection"));
        assert!(error_of("[training]", "init = 0.0\n[training]").contains("weights.init = 0"));
        let distillation = |entry: &str| format!("tokens = 1000\ndistillation = {entry}");
        assert!(error_of("tokens = 1000", &distillation("{ lambda = 0.0 }")).contains("distillation.lambda = 0"));
        let cold = distillation("{ lambda = 1.0, temperature = 0.0 }");
        assert!(error_of("tokens = 1000", &cold).contains("distillation.temperature = 0"));
        let augmented = |entry: &str| format!("tokens = 1000\naugmented = {entry}");
        let weightless = augmented("{ weight = 0.0, temperature = 2.0 }");
        assert!(error_of("tokens = 1000", &weightless).contains("augmented.weight = 0"));
        let untied =
            GOOD.replace("tied = true", "").replace("tokens = 1000", &augmented("{ weight = 1.0, temperature = 1.0 }"));
        assert!(error_of_text(&untied).contains("set model.tied"));
        let ngrams = |entry: &str| format!("tokens = 1000\nngrams = {entry}");
        assert!(
            error_of("tokens = 1000", &ngrams("{ shortest = 6 }")).contains("ngrams.shortest = 6 is not in 1 to 5")
        );
        assert!(error_of("tokens = 1000", &ngrams("{ vectors = 0 }")).contains("ngrams.vectors = 0"));
        let lsh = |lsh: &str| format!("tied = false\nlsh = {lsh}");
        assert!(error_of("tied = true", &lsh("{ bits = 100 }")).contains("model.lsh"));
        assert!(error_of("tied = true", &lsh("{ bits = 64, longest = 9 }")).contains("model.lsh"));
        assert!(error_of("tied = true", &lsh("{ bits = 64 }")).contains("weights.embedding is set"));
        assert!(
            error_of("tied = true", "tied = true\nlsh = { bits = 64 }").contains("model.tied contradicts model.lsh")
        );
        assert!(error_of("[training]", "lsh = { method = \"ternary\" }\n[training]").contains("there is no model.lsh"));
        assert!(error_of("\"ternary\"", "\"quaternary\"").contains("quaternary"));
        assert!(error_of("tokens = 1000", "tokens = 1000\ndropout = { input = 1.0 }").contains("dropout.input"));
        assert!(error_of("tokens = 1000", "tokens = 1000\nshards = 3").contains("no multiple of training.shards"));
        assert!(error_of(linear, &trit("matrix")).contains("say per = \"output\""));
        let gate =
            |gate: &str| format!("[weights.gates.{gate}]\ninput = {{ method = \"linear\", bits = 0 }}\n[training]");
        assert!(error_of("[training]", &gate("reset")).contains("the cell has the gates input, forget, cell, output"));
        assert!(error_of("[training]", &gate("forget")).contains("weights.gates.forget.input"));
        let batch = |more: &str| format!("[normalization]\nmethod = \"batch\"\n{more}\n[training]");
        assert!(error_of("[training]", &batch("freeze = 2.0")).contains("normalization.freeze = 2"));
        assert!(error_of("[training]", &batch("gain = 0.0")).contains("normalization.gain = 0"));
        assert!(error_of("[training]", &batch("open = 0.0")).contains("normalization.open = 0"));
        let weight = batch("open = 2.0").replace("batch", "weight");
        assert!(error_of("[training]", &weight).contains("LSTMs with batch or layer"));
        assert!(error_of("[training]", &batch("open = 2.0\nfreeze = 1.0")).contains("freeze must be less than 1"));
    }
}
