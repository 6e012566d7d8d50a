//! The gradients of a whole step against differences of its loss, and the ways to compute it against each other.

use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::adam::{Gradient, Update};
use super::batches::Batch;
use super::config::Config;
use super::network::{Network, Phase};
use super::rows::Rows;
use super::sampler::Sampler;
use super::slices::{give, take};
use super::step::{Step, StepOptions};
use super::wider::widened;
use crate::corpus::{Entry, WordTable};
use crate::distillation::Soft;

const ROWS: usize = 12;
const BATCH: usize = 4;
const STEPS: usize = 5;

/// A small config with these lines of the model, more tables, and more of the training.
fn config(model: &str, tables: &str, training: &str) -> Config {
    let text = format!(
        "name = \"test\"\n[model]\n{model}\n{tables}\n[training]\nbatch = {BATCH}\nbptt = {STEPS}\ntokens = 1000\n\
         learning_rate = 0.01\n{training}\n"
    );
    let config: Config = toml::from_str(&text).unwrap();
    config.check().unwrap();
    config
}

const TIED: &str = "cell = \"lstm\"\nlayers = 1\nunits = 6\nembedding = 4\ntied = true";
const UNTIED: &str = "cell = \"gru\"\nlayers = 2\nunits = 5\nembedding = 3\noutput = 4";
const SAMPLED: &str = "softmax = { method = \"sampled\", negatives = 6 }";

fn table() -> WordTable {
    let entry = |count: usize| Entry::special(format!("token {count}"), count as f64);
    WordTable { specials: ROWS, entries: (1..=ROWS).map(entry).collect() }
}

fn batch() -> Batch {
    let token = |i: usize| (i * 5 % ROWS) as u32;
    let all = BATCH * STEPS;
    Batch::new(BATCH, (0..all).map(token).collect(), (0..all).map(|i| token(i + 7)).collect())
}

/// A batch of which a teacher says something.
fn taught_batch() -> Batch {
    let rows = (0..2 * BATCH * STEPS).map(|i| ((i * 7 + i / 5) % ROWS) as u32).collect();
    let log_probabilities = (0..2 * BATCH * STEPS).map(|i| -0.7 - (i % 4) as f32).collect();
    let mut batch = batch();
    let hints = (0..3 * BATCH * STEPS).map(|i| (i % 7) as f32 / 4.0 - 0.6).collect();
    batch.soft = Some(Soft { top: 2, rows, log_probabilities, hints });
    batch
}

/// Larger weights than a network begins with: all of its parts matter.
fn network(config: &Config, fused: bool, device: &Device) -> Network {
    let mut network = Network::new(config, &table(), fused, device);
    for parameter in network.parameters.iter_mut().filter(|parameter| parameter.name.contains("e")) {
        if parameter.trained && !parameter.of_method {
            let shape = parameter.value.dims();
            let grown = take(parameter.value.clone()).into_iter().enumerate();
            let grown = grown.map(|(i, w)| 2.0 * w + 0.3 * ((i * 7 % 11) as f32 / 11.0 - 0.5)).collect();
            parameter.value = give(grown, shape, device);
        }
    }
    network
}

const PHASE: Phase = Phase { quantized: true, frozen: false };

fn step(network: &Network, config: &Config, phase: Phase) -> Step {
    let sampler = Sampler::new(&table().counts()).unwrap();
    let options = StepOptions::new(config, &sampler);
    let mut states = network.zero_states(BATCH);
    let batch = if config.training.distillation.is_some() { taught_batch() } else { batch() };
    network.step(&batch, &mut states, phase, &options, &mut StdRng::seed_from_u64(9))
}

/// A gradient as one of the whole parameter.
fn whole(gradient: &Gradient, shape: [usize; 2]) -> Vec<f32> {
    let values = take(gradient.value.clone());
    match &gradient.rows {
        Rows::All => values,
        Rows::Some(rows) => {
            let mut all = vec![0.0; shape[0] * shape[1]];
            for (row, values) in rows.iter().zip(values.chunks_exact(shape[1])) {
                all[*row as usize * shape[1]..][..shape[1]].copy_from_slice(values);
            }
            all
        }
    }
}

fn gradients_are_differences(config: &Config, phase: Phase) {
    const DELTA: f32 = 0.01;
    let device = Device::flex();
    let mut network = network(config, true, &device);
    let gradients = step(&network, config, phase).gradients;
    for (place, gradient) in gradients.iter().enumerate() {
        let Some(gradient) = gradient else {
            assert!(!network.parameters[place].trained, "{} has no gradient", network.parameters[place].name);
            continue;
        };
        let value = network.parameters[place].value.clone();
        let gradient = whole(gradient, value.dims());
        for index in (0..gradient.len()).step_by(3) {
            let mut loss = |change: f32| {
                let mut values = take(value.clone());
                values[index] += change;
                network.parameters[place].value = give(values, value.dims(), &device);
                step(&network, config, phase).loss()
            };
            let slope = ((loss(DELTA) - loss(-DELTA)) / f64::from(2.0 * DELTA)) as f32;
            let name = &network.parameters[place].name;
            let allowed = 3e-4 + 0.03 * slope.abs();
            assert!((slope - gradient[index]).abs() < allowed, "{name} {index}: {slope} is not {}", gradient[index]);
        }
        network.parameters[place].value = value;
    }
}

#[test]
fn gradients_of_a_tied_network() {
    gradients_are_differences(&config(TIED, "", SAMPLED), PHASE);
    gradients_are_differences(&config(TIED, "", ""), PHASE);
}

#[test]
fn gradients_of_a_student() {
    let taught = "distillation = { lambda = 0.6, temperature = 1.5 }";
    gradients_are_differences(&config(TIED, "", &format!("{SAMPLED}\n{taught}")), PHASE);
    let hinted = "distillation = { lambda = 0.6, hint = { weight = 2.0, width = 3 } }";
    gradients_are_differences(&config(UNTIED, "", hinted), PHASE);
}

/// Losses beside the text's are there, in proportion to their weights.
#[test]
fn other_losses_count() {
    for softmax in ["", SAMPLED] {
        for (other, twice) in [
            ("distillation = { lambda = 0.5 }", "distillation = { lambda = 1.0 }"),
            ("augmented = { weight = 0.5, temperature = 2.0 }", "augmented = { weight = 1.0, temperature = 2.0 }"),
        ] {
            let loss = |more: &str| {
                let config = config(TIED, "", &format!("{softmax}\n{more}"));
                step(&network(&config, true, &Device::flex()), &config, PHASE).loss()
            };
            let (plain, once, twice) = (loss(""), loss(other), loss(twice));
            assert!(once > plain + 0.1, "{other}: {once} is not more than {plain}");
            assert!((twice - plain - 2.0 * (once - plain)).abs() < 1e-4, "{other}");
        }
    }
}

#[test]
fn gradients_of_a_network_that_reads_spellings() {
    let lsh = format!("{UNTIED}\nlsh = {{ bits = 64, longest = 2 }}");
    gradients_are_differences(&config(&lsh, "", SAMPLED), PHASE);
    gradients_are_differences(&config(&lsh, "", ""), PHASE);
}

#[test]
fn gradients_of_rows_that_share_ngrams() {
    const NGRAMS: &str = "ngrams = { shortest = 2, longest = 3, vectors = 30 }";
    gradients_are_differences(&config(TIED, "", NGRAMS), PHASE);
    let tail = format!("{UNTIED}\ntail = {{ after = 5, width = 2 }}");
    gradients_are_differences(&config(&tail, "", &format!("{SAMPLED}\n{NGRAMS}")), PHASE);
}

#[test]
fn gradients_of_an_untied_network() {
    gradients_are_differences(&config(UNTIED, "", SAMPLED), PHASE);
    gradients_are_differences(&config(UNTIED, "", ""), PHASE);
}

#[test]
fn gradients_of_normalized_networks() {
    for method in ["batch", "layer", "weight"] {
        let tables = format!("[normalization]\nmethod = \"{method}\"\ngain = 0.5");
        gradients_are_differences(&config(TIED, &tables, "shards = 1"), PHASE);
        gradients_are_differences(&config(UNTIED, &tables, "shards = 2"), Phase { frozen: true, ..PHASE });
    }
}

#[test]
fn gradients_under_dropout() {
    for variational in [false, true] {
        let dropout =
            format!("dropout = {{ input = 0.3, output = 0.3, recurrent = 0.3, variational = {variational} }}");
        gradients_are_differences(&config(TIED, "", &dropout), PHASE);
    }
}

fn assert_same(one: &Step, other: &Step, shapes: &[[usize; 2]]) {
    assert!((one.loss() - other.loss()).abs() < 1e-5, "{} {}", one.loss(), other.loss());
    for ((one, other), &shape) in one.gradients.iter().zip(&other.gradients).zip(shapes) {
        let [one, other] = [one, other].map(|gradient| gradient.as_ref().map(|gradient| whole(gradient, shape)));
        for (one, other) in one.iter().flatten().zip(other.iter().flatten()) {
            assert!((one - other).abs() < 1e-5, "{one} {other}");
        }
    }
}

fn shapes(network: &Network) -> Vec<[usize; 2]> {
    network.parameters.iter().map(|parameter| parameter.value.dims()).collect()
}

/// Words that are drawn for certain need no correction.
#[test]
fn a_softmax_over_all_words_drawn_is_the_full_one() {
    for model in [TIED, UNTIED] {
        let [full, sampled] =
            ["", "softmax = { method = \"sampled\", negatives = 5000 }"].map(|softmax| config(model, "", softmax));
        let network = network(&full, true, &Device::flex());
        assert_same(&step(&network, &full, PHASE), &step(&network, &sampled, PHASE), &shapes(&network));
    }
}

#[test]
fn shards_sum_to_the_batch() {
    for model in [TIED, UNTIED] {
        let [one, four] = [1, 4].map(|shards| config(model, "", &format!("{SAMPLED}\nshards = {shards}")));
        let network = network(&one, true, &Device::flex());
        assert_same(&step(&network, &one, PHASE), &step(&network, &four, PHASE), &shapes(&network));
    }
}

#[test]
fn a_wider_network_computes_what_the_smaller_one_did() {
    let norm = "[normalization]\nmethod = \"batch\"\ngain = 0.5";
    let ngrams = "ngrams = { shortest = 2, longest = 3, vectors = 30 }";
    for (model, units, wide) in [
        (TIED, 6, TIED.replace("units = 6", "units = 9").replace("embedding = 4", "embedding = 5")),
        (UNTIED, 5, UNTIED.replace("units = 5", "units = 8").replace("output = 4", "output = 6")),
    ] {
        let [small, wide] = [model, &wide].map(|model| config(model, norm, ngrams));
        let device = Device::flex();
        let (mut before, mut after) = (network(&small, true, &device), Network::new(&wide, &table(), true, &device));
        for (small, wide) in before.parameters.iter_mut().zip(&mut after.parameters) {
            if small.name.ends_with(".ngrams") {
                let shape = small.value.dims();
                let values = (0..shape[0] * shape[1]).map(|i| (i % 7) as f32 / 7.0 - 0.4).collect();
                small.value = give(values, shape, &device);
            }
            wide.value = widened(&small.name, small.value.clone(), &wide.value, units).unwrap();
        }
        let shapes = shapes(&before);
        let (before, grown) = (step(&before, &small, PHASE), step(&after, &wide, PHASE));
        assert!((before.loss() - grown.loss()).abs() < 1e-5, "{} {}", before.loss(), grown.loss());
        // The last column of all that became wider is new, and learns: at once or, behind a projection of zero, in the step after.
        let update = |number| Update { learning_rate: 0.01, scale: 1.0, decay: 0.0, step: number, fused: true };
        let mut learned = vec![false; after.parameters.len()];
        for number in 1..=2 {
            for (place, gradient) in step(&after, &wide, PHASE).gradients.into_iter().enumerate() {
                let Some(gradient) = gradient else { continue };
                let parameter = &mut after.parameters[place];
                let columns = parameter.value.dims()[1];
                let values = whole(&gradient, parameter.value.dims());
                learned[place] |= values.iter().skip(columns - 1).step_by(columns).any(|&x| x != 0.0);
                parameter.update(gradient, update(number));
            }
        }
        for (place, parameter) in after.parameters.iter().enumerate().filter(|(_, parameter)| parameter.trained) {
            assert!(learned[place] || parameter.value.dims() == shapes[place], "{}", parameter.name);
        }
    }
}

#[test]
fn output_gates_are_opened_and_the_function_kept() {
    let norm = "[normalization]\nmethod = \"batch\"\ngain = 0.5";
    let untied = UNTIED.replace("gru", "lstm");
    for model in [TIED, &untied, &untied.replace("\noutput = 4", "")] {
        let config = config(model, norm, "");
        let device = Device::flex();
        let mut network = network(&config, true, &device);
        let units = config.model.units;
        for layer in 0..config.model.layers {
            let place = network.places.layers[layer].bias;
            let mut bias = take(network.value(place).clone());
            bias[3 * units..].iter_mut().for_each(|bias| *bias -= 8.0);
            network.parameters[place].value = give(bias, [1, 4 * units], &device);
            // As a training leaves it: statistics of small states.
            let norms = network.places.layers[layer].norms.unwrap();
            for norm in &norms[if layer == 0 { 1 } else { 0 }..] {
                let small = [vec![3e-4; 4 * units], vec![1e-7; 4 * units]].concat();
                network.parameters[norm.statistics].value = give(small, [2, 4 * units], &device);
            }
        }
        network.parameters[network.places.bias].value = Tensor::zeros([ROWS, 1], &device);
        let phase = Phase { frozen: true, ..PHASE };
        let logits_and_hidden = |network: &Network| {
            let (evaluation, mut states) = (network.evaluation(phase), network.zero_states(BATCH));
            let outputs = network.outputs(&batch(), &mut states, &evaluation);
            (network.logits(outputs, &evaluation), states.pop().unwrap().h)
        };
        let largest = |tensor: Tensor<2>| -> f32 { tensor.abs().max().into_scalar() };
        let (logits, h) = logits_and_hidden(&network);
        network.open_output_gates(4.0);
        let (opened, larger) = logits_and_hidden(&network);
        let change = largest(opened - logits.clone()) / largest(logits);
        assert!(change < 0.01, "logits change by a share of {change}");
        assert!((largest(larger) / largest(h) - 4.0).abs() < 0.05);
    }
}

const QUANTIZED: &str = "[weights]\nembedding = { method = \"linear\", bits = 4 }\n\
    input = { method = \"ternary\", per = \"output\" }\nrecurrent = { method = \"trained-ternary\" }";

#[test]
fn slices_and_tensors_compute_the_same() {
    let device = Device::flex();
    for softmax in [SAMPLED, ""] {
        let config = config(TIED, QUANTIZED, softmax);
        let [fused, portable] = [true, false].map(|fused| network(&config, fused, &device));
        assert_same(&step(&fused, &config, PHASE), &step(&portable, &config, PHASE), &shapes(&fused));
    }
}

impl Step {
    fn loss(&self) -> f64 {
        self.loss.clone().into_scalar::<f32>().into()
    }
}

#[test]
fn a_device_draws_its_masks_itself() {
    let network = network(&config(TIED, "", SAMPLED), false, &Device::flex());
    let mask = |seed| take(network.mask(0.25, [40, 50], 2, &mut StdRng::seed_from_u64(seed)).unwrap());
    let drawn = mask(1);
    assert_eq!(drawn[..2000], drawn[2000..], "what is repeated is the same");
    assert!(drawn.iter().all(|&x| x == 0.0 || (x - 4.0 / 3.0).abs() < 1e-6));
    let zeros = drawn.iter().filter(|&&x| x == 0.0).count();
    assert!((800..1200).contains(&zeros), "{zeros} of 4000");
    assert_eq!(drawn, mask(1));
    assert_ne!(drawn, mask(2));
}

/// Losses of some updates on a device.
#[cfg_attr(not(any(feature = "wgpu", feature = "libtorch")), expect(dead_code, reason = "compares devices"))]
fn losses(device: &Device, fused: bool) -> Vec<f64> {
    let config = config(TIED, QUANTIZED, &format!("{SAMPLED}\nngrams = {{ longest = 4, vectors = 50 }}"));
    let mut network = network(&config, fused, device);
    let update = |number| Update { learning_rate: 0.01, scale: 1.0, decay: 0.0, step: number, fused };
    let train = |number| {
        let step = step(&network, &config, PHASE);
        let loss = step.loss();
        for (parameter, gradient) in network.parameters.iter_mut().zip(step.gradients) {
            if let Some(gradient) = gradient {
                parameter.update(gradient, update(number));
            }
        }
        loss
    };
    (1..=5).map(train).collect()
}

#[cfg(any(feature = "wgpu", feature = "libtorch"))]
fn trains_as_the_cpu_does(device: &Device) {
    for (there, cpu) in losses(device, false).into_iter().zip(losses(&Device::flex(), true)) {
        assert!((there - cpu).abs() < 1e-3, "{there} {cpu}");
    }
}

/// Runs where the feature is built and a Vulkan, Metal or DirectX device exists; a software one (Mesa's lavapipe) will do.
#[cfg(feature = "wgpu")]
#[test]
fn wgpu_trains_as_the_cpu_does() {
    let Ok(super::device::ComputeDevice { device, .. }) = super::device::ComputeDevice::by_name("wgpu") else {
        // Not eprintln, which a test that passes keeps to itself.
        let told = "SKIPPED: no device for wgpu; with Mesa's lavapipe installed (mesa-vulkan-drivers) this test runs\n";
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
        return;
    };
    trains_as_the_cpu_does(&device);
}

/// On LibTorch's CPU device, which needs no GPU and has the same operations.
#[cfg(feature = "libtorch")]
#[test]
fn libtorch_trains_as_the_cpu_does() {
    trains_as_the_cpu_does(&super::device::ComputeDevice::by_name("libtorch-cpu").unwrap().device);
}
