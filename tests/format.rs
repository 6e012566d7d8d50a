//! The model file: what is written is read, and no file whatever makes the reader or the model panic.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::ops::Range;

use common::{Encoding, Random, Recipe, SHIPPED, many_words, parts, parts_of, recipes};
use lm_wasm::format::{
    Bias, CorrectionParts, InputKind, InputParts, Lsh, Metadata, ModelParts, OutputKind, RareParts, SectionKind, Shape,
    Tensor, VERSION, Values, inspect, limits, reseal,
};
use lm_wasm::{Error, ErrorKind, Model, Session};
use proptest::prelude::*;

/// A model with narrow rows.
fn narrow() -> ModelParts {
    parts(1, Recipe { narrow_width: Some(5), ..SHIPPED })
}

/// A model that reads spellings.
fn lsh() -> ModelParts {
    parts(1, Recipe { input: InputKind::Lsh, output: OutputKind::Untied, ..SHIPPED })
}

fn shipped() -> Vec<u8> {
    parts(1, SHIPPED).to_bytes().unwrap()
}

/// Reads `file` and, if that succeeds, uses the model.
fn load_and_use(file: &[u8]) -> Result<(), Error> {
    inspect(file).ok();
    let model = Model::from_bytes(file)?;
    let mut session = Session::new(&model);
    for text in ["", "I'm go", "The London, 12 GOOD! ", "zażółć\nź"] {
        let suggestions = session.suggest(&model, text, 3);
        assert!(suggestions.items.len() <= 3);
        assert!(suggestions.items.iter().all(|item| (0.0..=1.001).contains(&item.probability)), "{suggestions:?}");
    }
    Ok(())
}

#[test]
fn what_is_written_is_read() {
    let random = (0..).zip(recipes()).map(|(seed, recipe)| parts(seed, recipe));
    let of_shapes = with_lsh(Lsh { whole: 3, shape: 200, ..common::LSH });
    for written in random.chain([of_shapes]) {
        let file = written.to_bytes().unwrap();
        let read = ModelParts::from_bytes(&file).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.to_bytes().unwrap(), file);
        load_and_use(&file).unwrap();
    }
}

#[test]
fn every_truncation_is_an_error() {
    let file = shipped();
    for length in 0..file.len() {
        let error = load_and_use(&file[..length]).unwrap_err();
        let expected = if length < 8 { ErrorKind::NotAModel } else { ErrorKind::Truncated };
        assert_eq!(error.kind(), expected, "{length} bytes");
    }
    let mut longer = file;
    longer.push(0);
    assert_eq!(load_and_use(&longer).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn every_changed_byte_is_an_error() {
    let file = shipped();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(load_and_use(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn random_changes_under_valid_checksums_do_no_harm() {
    let random = &mut Random::new(7);
    let files: Vec<Vec<u8>> = recipes().into_iter().map(|recipe| parts(3, recipe).to_bytes().unwrap()).collect();
    let mut accepted = 0;
    for round in 0..10_000 {
        let mut file = files[round % files.len()].clone();
        for _ in 0..=random.below(4) {
            // Half of the changes hit the header and table, where a file has most of its meaning.
            let end = if random.below(2) == 0 { 1024 } else { file.len() };
            let at = random.below(end);
            file[at] = [random.bits() as u8, 0, 255, file[at].wrapping_add(1)][random.below(4)];
        }
        reseal(&mut file);
        accepted += usize::from(load_and_use(&file).is_ok());
    }
    assert!(accepted > 100, "the changes must reach the network, only {accepted} did");
}

#[test]
fn errors_name_the_thing() {
    let file = shipped();
    let changed = |at: usize, value: u32| {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        reseal(&mut file);
        load_and_use(&file).unwrap_err()
    };

    assert_eq!(load_and_use(b"<!doctype html>"), Err(Error::NotAModel));
    assert_eq!(changed(8, 7), Error::WrongVersion { found: 7, supported: VERSION });
    assert!(changed(8, 7).to_string().contains("version 7"));
    assert_eq!(changed(12, 65).kind(), ErrorKind::LimitExceeded);
    // The first table entry: kind, index, encoding.
    assert_eq!(changed(32, 99).kind(), ErrorKind::Unsupported);
    assert_eq!(changed(40, 5), Error::Unsupported { section: "metadata", what: "an unknown entropy coding" });
    assert_eq!(changed(40, 4).kind(), ErrorKind::Corrupt);
    assert_eq!(changed(40, 3).kind(), ErrorKind::Corrupt);
    assert_eq!(changed(40, 1).kind(), ErrorKind::Corrupt);
    assert_eq!(changed(40, 2).kind(), ErrorKind::Corrupt);
    assert_eq!(changed(36, 3).kind(), ErrorKind::Corrupt);
    // The first field of the shape: the cell.
    let shape = inspect(&file).unwrap().into_iter().find(|section| section.kind == SectionKind::Shape).unwrap();
    assert_eq!(changed(shape.offset, 3).kind(), ErrorKind::Unsupported);
    assert_eq!(changed(shape.offset + 12, 5).kind(), ErrorKind::LimitExceeded);
    // A damaged byte without a new checksum names its section.
    let mut damaged = file.clone();
    damaged[shape.offset] ^= 1;
    assert!(load_and_use(&damaged).unwrap_err().to_string().contains("shape"));
}

/// A model that reads spellings by another code.
fn with_lsh(other: Lsh) -> ModelParts {
    let mut parts = lsh();
    if let InputParts::Lsh { lsh, .. } = &mut parts.input {
        *lsh = other;
    }
    parts
}

fn rare(parts: &mut ModelParts) -> &mut RareParts {
    parts.rare.as_mut().unwrap()
}

#[test]
fn parts_that_contradict_each_other_are_not_written() {
    type Change = fn(&mut ModelParts);
    let changes: [Change; 24] = [
        |parts| parts.shape.hidden += 1,
        |parts| parts.shape.vocabulary -= 1,
        |parts| parts.layers.clear(),
        |parts| parts.projection = None,
        |parts| parts.output = Some(parts.input.matrix_mut().clone()),
        |parts| parts.input.matrix_mut().scales = vec![half::f16::INFINITY],
        |parts| {
            let embedding = parts.input.matrix_mut();
            embedding.values = Values::Signed4(vec![8; embedding.rows * embedding.cols]);
        },
        |parts| parts.output_bias = Bias::F32(vec![f32::NAN; parts.shape.vocabulary]),
        |parts| parts.output_bias = Bias::F32(vec![limits::MAGNITUDE * 2.0; parts.shape.vocabulary]),
        |parts| parts.shape.narrow_width = Some(5),
        |parts| *parts = ModelParts { narrow: narrow().narrow, ..parts.clone() },
        |parts| *parts = ModelParts { shape: Shape { narrow_width: Some(6), ..narrow().shape }, ..narrow() },
        |parts| {
            *parts = narrow();
            parts.narrow.as_mut().unwrap().rows[0] ^= true;
        },
        |parts| rare(parts).log_share = 0.5,
        |parts| rare(parts).log_share = f32::NAN,
        |parts| rare(parts).log_share = -2.0 * limits::MAGNITUDE,
        |parts| parts.shape.input = InputKind::Lsh,
        |parts| *parts = ModelParts { shape: Shape { input: InputKind::Embedding, ..lsh().shape }, ..lsh() },
        |parts| *parts = ModelParts { output: None, ..lsh() },
        |parts| *parts = with_lsh(Lsh { bits: 64, ..common::LSH }),
        |parts| *parts = with_lsh(Lsh { bits: 100, ..common::LSH }),
        |parts| *parts = with_lsh(Lsh { shortest: 0, ..common::LSH }),
        |parts| *parts = with_lsh(Lsh { shortest: 4, longest: 5, ..common::LSH }),
        |parts| *parts = with_lsh(Lsh { longest: 9, ..common::LSH }),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut parts = parts(1, SHIPPED);
        change(&mut parts);
        assert!(parts.to_bytes().is_err(), "change {number}");
        assert!(Model::from_parts(parts).is_err(), "change {number}");
    }
}

#[test]
fn long_sections_are_coded() {
    let random = &mut Random::new(9);
    let written = parts_of(2, Recipe { narrow_width: Some(5), ..SHIPPED }, &many_words());
    let file = written.to_bytes().unwrap();
    assert_eq!(ModelParts::from_bytes(&file).unwrap(), written);
    load_and_use(&file).unwrap();
    let sections = inspect(&file).unwrap();
    let coded: Vec<_> = sections.iter().filter(|section| section.is_coded).collect();
    assert!(coded.iter().any(|section| section.kind == SectionKind::Words), "{coded:?}");
    let mut refused = 0;
    for round in 0..500 {
        let section = coded[round % coded.len()];
        // Mostly the table of frequencies and the first state.
        let length = if round % 3 == 0 { section.length } else { section.length.min(400) };
        let changed = with_a_bit_flipped(&file, section.offset..section.offset + length, random);
        refused += usize::from(load_and_use(&changed).is_err());
    }
    assert!(refused > 400, "only {refused} of 500 changes were found");
}

/// The file with a bit of a range flipped, under valid checksums: so a decoder meets anything.
fn with_a_bit_flipped(file: &[u8], range: Range<usize>, random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    file[range.start + random.below(range.len())] ^= 1 << random.below(8);
    reseal(&mut file);
    file
}

#[test]
fn rows_that_are_alike_are_coded_by_their_words() {
    let words = many_words();
    let mut written = parts_of(2, Recipe { narrow_width: Some(5), table: Encoding::Signed4, ..SHIPPED }, &words);
    let random = &mut Random::new(9);
    let same = |tensor: &mut Tensor| {
        let Values::Signed4(values) = &mut tensor.values else { panic!("{:?}", tensor.values) };
        let place = |at: usize| at / tensor.cols / 100 * 31 + at % tensor.cols * 17;
        values.iter_mut().enumerate().for_each(|(at, value)| *value = (place(at) % 7) as i8 - 3);
    };
    same(written.input.matrix_mut());
    same(written.narrow.as_mut().unwrap().embedding.as_mut().unwrap());
    let file = written.to_bytes().unwrap();
    assert_eq!(ModelParts::from_bytes(&file).unwrap(), written);
    load_and_use(&file).unwrap();
    for kind in [SectionKind::Embedding, SectionKind::NarrowEmbedding] {
        let sections = inspect(&file).unwrap();
        let place = sections.iter().position(|section| section.kind == kind).unwrap();
        assert_eq!(file[32 + 32 * place + 8], 4, "{kind:?} is not coded by its words");
        let range = sections[place].offset..sections[place].offset + sections[place].length;
        let is_refused = |_: &i32| load_and_use(&with_a_bit_flipped(&file, range.clone(), random)).is_err();
        assert!((0..300).filter(is_refused).count() > 250);
    }
}

/// A length that lets a sum of 32 bits begin anew is too long by itself.
#[test]
fn a_section_of_four_gigabytes_is_refused() {
    let written = parts_of(2, SHIPPED, &many_words());
    let mut file = written.to_bytes().unwrap();
    let sections = inspect(&file).unwrap();
    let place = sections.iter().position(|section| section.is_coded && section.kind == SectionKind::Words).unwrap();
    file[32 + 32 * place + 20..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    reseal(&mut file);
    let error = load_and_use(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("length of a section"), "{error}");
}

#[test]
fn rare_words_are_there_with_their_flags() {
    // The words become a kind that has no place in this model, the flags those of another layer.
    let (words, flags) = (SectionKind::RareWords, SectionKind::RareWordFlags);
    for (kind, field, value) in [(words, 0, SectionKind::LshBias as u32), (flags, 4, 1)] {
        let mut file = shipped();
        let place = inspect(&file).unwrap().iter().position(|section| section.kind == kind).unwrap();
        file[32 + 32 * place + field..][..4].copy_from_slice(&value.to_le_bytes());
        reseal(&mut file);
        assert_eq!(load_and_use(&file).unwrap_err().kind(), ErrorKind::Corrupt, "{kind:?}");
    }
}

#[test]
fn rare_words_that_do_not_fit_are_not_loaded() {
    let changes: [fn(&mut RareParts); 3] =
        [|rare| rare.flags.push(0), |rare| rare.flags[0] = 3, |rare| rare.words.push(1)];
    for change in changes {
        let mut parts = parts(1, SHIPPED);
        change(rare(&mut parts));
        assert_eq!(Model::from_parts(parts).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn corrections_that_do_not_fit_are_not_loaded() {
    let changes: [fn(&mut CorrectionParts); 4] = [
        |corrections| corrections.tokens.push(120),
        |corrections| corrections.contexts.truncate(corrections.contexts.len() - 1),
        |corrections| corrections.words.push(1),
        |corrections| corrections.steps.clear(),
    ];
    for change in changes {
        let mut parts = parts(1, SHIPPED);
        change(parts.corrections.as_mut().unwrap());
        let error = Model::from_parts(parts).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains("corrections"), "{error}");
    }
    // The fourth part becomes a fifth.
    let mut file = shipped();
    let sections = inspect(&file).unwrap();
    file[32 + 32 * (sections.len() - 1) + 4..][..4].copy_from_slice(&4u32.to_le_bytes());
    reseal(&mut file);
    assert_eq!(load_and_use(&file).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_listing_tells_all_sections() {
    let file = shipped();
    let sections = inspect(&file).unwrap();
    assert_eq!(sections.len(), 18);
    assert!(sections.iter().all(|section| section.offset % 64 == 0));
    let last = sections.last().unwrap();
    assert_eq!((last.kind, last.offset + last.length), (SectionKind::Corrections, file.len()));
    let weights = sections.iter().find(|section| section.kind == SectionKind::LayerRecurrent).unwrap();
    assert_eq!((weights.encoding, weights.shape), ("ternary", Some((4 * 13, 13))));
}

#[test]
fn metadata_is_lines_of_pairs() {
    let mut metadata = Metadata::new();
    metadata.push("licence", " CC BY-SA 4.0\nand others ").unwrap();
    assert_eq!(metadata.get("licence"), Some("CC BY-SA 4.0 and others"));
    assert_eq!(metadata.to_string(), "licence = CC BY-SA 4.0 and others\n");
    assert!(metadata.push("two words", "").is_err());
    assert!(metadata.push("", "").is_err());
    assert_eq!(metadata.push("long", &"x".repeat(limits::METADATA)).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tensors_of_any_shape_are_kept(
        seed: u64,
        embedding in 1usize..80,
        hidden in 1usize..40,
        encodings in prop::array::uniform2(prop::sample::select(&common::ENCODINGS[..])),
    ) {
        let [table, weights]: [Encoding; 2] = encodings;
        let recipe = common::Recipe { embedding, hidden, output_width: embedding, table, weights, ..SHIPPED };
        let written = parts(seed, recipe);
        prop_assert_eq!(ModelParts::from_bytes(&written.to_bytes().unwrap()).unwrap(), written);
    }
}
