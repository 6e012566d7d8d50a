//! Header, section table and padding: the frame of a file, and all that knows its offsets.

use std::hash::Hasher;
use std::ops::Range;

use twox_hash::XxHash64;

use super::bytes::Reader;
use super::contents::Contents;
use super::row_coding::{self, Endings};
use super::stored::{Source, Stored};
use super::{coding, context_coding, limits, tensor};
use crate::Error;

/// The version of the format that this build writes and reads.
pub const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"lm-wasm\0";
const ALIGNMENT: usize = 64;
const HEADER_LENGTH: usize = 32;
/// Where the header's checksum stands, the last field of the header.
const HEADER_CHECKSUM: usize = 24;
const ENTRY_LENGTH: usize = 32;
/// Where a section's checksum stands in its table entry.
const ENTRY_CHECKSUM: usize = 24;
const HASH_SEED: u64 = 0;
/// The encoding of a section that is stored as it is.
const RAW: u32 = 0;
/// Shorter sections are stored as they are.
const LEAST_CODED: usize = 256;
/// Rows of words are coded as such where that saves one byte of so many: to decode them takes longer.
const LEAST_GAIN: usize = 16;

/// How a section is entropy-coded; the number that says so in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Coding {
    /// One table of frequencies.
    Bytes = 1,
    /// A table for each byte that goes before.
    Text = 2,
    /// What stands before a matrix's elements by itself, by one of the two above; then the elements, as [`Bytes`](Self::Bytes).
    Matrix = 3,
    /// The same, but for the elements, which are coded as rows of words.
    Rows = 4,
}

impl Coding {
    /// The way of a code.
    pub fn from_code(code: u32) -> Option<Coding> {
        [Coding::Bytes, Coding::Text, Coding::Matrix, Coding::Rows].into_iter().find(|&coding| coding as u32 == code)
    }
}

/// The form of what a section holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Bytes,
    Matrix,
    Bias,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
#[allow(missing_docs, reason = "docs/format.md tells what each holds")]
pub enum SectionKind {
    Metadata = 1,
    Shape = 2,
    Specials = 3,
    Words = 4,
    WordFlags = 5,
    Casing = 6,
    Embedding = 7,
    LayerInput = 8,
    LayerRecurrent = 9,
    LayerBias = 10,
    Projection = 11,
    Output = 12,
    OutputBias = 13,
    NarrowRows = 14,
    NarrowEmbedding = 15,
    NarrowOutput = 16,
    Lsh = 17,
    LshWeights = 18,
    LshBias = 19,
    RareWords = 20,
    RareWordFlags = 21,
    Corrections = 22,
}

impl SectionKind {
    const ALL: [SectionKind; 22] = [
        SectionKind::Metadata,
        SectionKind::Shape,
        SectionKind::Specials,
        SectionKind::Words,
        SectionKind::WordFlags,
        SectionKind::Casing,
        SectionKind::Embedding,
        SectionKind::LayerInput,
        SectionKind::LayerRecurrent,
        SectionKind::LayerBias,
        SectionKind::Projection,
        SectionKind::Output,
        SectionKind::OutputBias,
        SectionKind::NarrowRows,
        SectionKind::NarrowEmbedding,
        SectionKind::NarrowOutput,
        SectionKind::Lsh,
        SectionKind::LshWeights,
        SectionKind::LshBias,
        SectionKind::RareWords,
        SectionKind::RareWordFlags,
        SectionKind::Corrections,
    ];

    fn from_code(code: u32) -> Option<SectionKind> {
        Self::ALL.into_iter().find(|&kind| kind as u32 == code)
    }

    /// Whether a byte says something of the one behind it.
    fn is_text(self) -> bool {
        use SectionKind::*;
        matches!(self, Metadata | Specials | Words | Casing | RareWords)
    }

    /// The form of what it holds.
    pub(super) fn form(self) -> Form {
        use SectionKind::*;
        match self {
            Metadata | Specials | Casing => Form::Text,
            Shape | Words | WordFlags | NarrowRows | Lsh | RareWords | RareWordFlags | Corrections => Form::Bytes,
            Embedding | LayerInput | LayerRecurrent | Projection | Output | NarrowEmbedding | NarrowOutput
            | LshWeights => Form::Matrix,
            LayerBias | OutputBias | LshBias => Form::Bias,
        }
    }

    /// The name, as errors and listings write it.
    pub fn name(self) -> &'static str {
        match self {
            SectionKind::Metadata => "metadata",
            SectionKind::Shape => "shape",
            SectionKind::Specials => "special tokens",
            SectionKind::Words => "words",
            SectionKind::WordFlags => "word flags",
            SectionKind::Casing => "casing",
            SectionKind::Embedding => "embedding",
            SectionKind::LayerInput => "layer input weights",
            SectionKind::LayerRecurrent => "layer recurrent weights",
            SectionKind::LayerBias => "layer bias",
            SectionKind::Projection => "projection",
            SectionKind::Output => "output",
            SectionKind::OutputBias => "output bias",
            SectionKind::NarrowRows => "narrow rows",
            SectionKind::NarrowEmbedding => "narrow embedding",
            SectionKind::NarrowOutput => "narrow output",
            SectionKind::Lsh => "LSH",
            SectionKind::LshWeights => "LSH layer weights",
            SectionKind::LshBias => "LSH layer bias",
            SectionKind::RareWords => "rare words",
            SectionKind::RareWordFlags => "rare word flags",
            SectionKind::Corrections => "corrections",
        }
    }
}

/// One section: its entry in the table.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub kind: SectionKind,
    /// The layer or the part that it is, 0 where there is only one of its kind.
    pub index: u32,
    /// Where it begins in the file.
    pub offset: usize,
    /// Bytes in the file.
    pub length: usize,
    /// How they are entropy-coded, and the length of what they stand for, if they are.
    coded: Option<(Coding, usize)>,
    checksum: u64,
    source: &'a dyn Source,
}

impl Section<'_> {
    /// Whether the bytes in the file are entropy-coded.
    pub fn is_coded(&self) -> bool {
        self.coded.is_some()
    }

    /// Bytes that it holds.
    pub fn expanded_length(&self) -> usize {
        self.coded.map_or(self.length, |(_, length)| length)
    }

    /// Whether the endings of words are needed to read it.
    pub fn needs_endings(&self) -> bool {
        self.coded.is_some_and(|(coding, _)| coding == Coding::Rows)
    }

    /// Hands over what the section holds, which must be read to its end. Its bytes are fetched twice, for the checksum and to be read.
    pub fn read<T>(&self, endings: &Endings, with: impl FnOnce(&mut Contents) -> Result<T, Error>) -> Result<T, Error> {
        let stored = Stored::new(self.source, self.offset..self.offset + self.length);
        if stored.hash(HASH_SEED) != self.checksum {
            return Err(Error::corrupt(self.kind.name(), "its checksum does not match"));
        }
        let mut contents = match self.coded {
            None => Contents::stored(stored, self.kind.name()),
            Some((coding, length)) => Contents::coded(stored, coding, length, endings.of(self.kind), self.kind.name())?,
        };
        let read = with(&mut contents)?;
        contents.finish().map(|()| read)
    }

    /// All that the section holds, if that is no rows of words.
    pub fn expand(&self) -> Result<Vec<u8>, Error> {
        self.read(&Endings::default(), |contents| contents.rest())
    }
}

/// Joins sections, which must be in rising order of kind and index, to a file. What gets shorter by entropy coding is coded. The words'
/// rows have these endings.
pub(super) fn write(sections: &[(SectionKind, u32, Vec<u8>)], endings: &Endings) -> Result<Vec<u8>, Error> {
    Error::check_limit("number of sections", sections.len(), limits::SECTIONS)?;
    let mut file = vec![0; HEADER_LENGTH + sections.len() * ENTRY_LENGTH];
    let mut expanded = 0;
    for (number, (kind, index, bytes)) in sections.iter().enumerate() {
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        let coded = encode(*kind, bytes, endings.of(*kind));
        let (encoding, stored) = coded.as_ref().map_or((RAW, bytes), |(coding, coded)| (*coding as u32, coded));
        let entry = Entry {
            kind: *kind as u32,
            index: *index,
            encoding,
            offset: file.len() as u32,
            stored_length: stored.len() as u32,
            expanded_length: bytes.len() as u32,
            checksum: XxHash64::oneshot(HASH_SEED, stored),
        };
        expanded += bytes.len();
        Error::check_limit("length of all sections", expanded, limits::FILE)?;
        file[entry_range(number)].copy_from_slice(&entry.to_bytes());
        file.extend(stored);
    }
    let length = file.len() as u64;
    file[..8].copy_from_slice(&MAGIC);
    file[8..12].copy_from_slice(&VERSION.to_le_bytes());
    file[12..16].copy_from_slice(&(sections.len() as u32).to_le_bytes());
    file[16..24].copy_from_slice(&length.to_le_bytes());
    let checksum = header_checksum(&file, sections.len());
    file[HEADER_CHECKSUM..HEADER_LENGTH].copy_from_slice(&checksum.to_le_bytes());
    Ok(file)
}

/// A section's bytes entropy-coded, if that makes them shorter. If they are the rows of words, those have these endings.
fn encode(kind: SectionKind, bytes: &[u8], endings: &[u16]) -> Option<(Coding, Vec<u8>)> {
    if bytes.len() < LEAST_CODED {
        return None;
    }
    let matrix = (kind.form() == Form::Matrix).then(|| encode_matrix(bytes, &[])).flatten();
    let codings = [shortest(bytes, kind.is_text()), matrix.map(|coded| (Coding::Matrix, coded))];
    let coded = codings.into_iter().flatten().min_by_key(|(_, coded)| coded.len());
    let coded = coded.filter(|(_, coded)| coded.len() < bytes.len());
    let (_, plain) = coded.as_ref()?;
    let rows = if endings.is_empty() { None } else { encode_matrix(bytes, endings) };
    let is_worth_it = |rows: &Vec<u8>| plain.len() - plain.len() / LEAST_GAIN > rows.len();
    rows.filter(is_worth_it).map(|rows| (Coding::Rows, rows)).or(coded)
}

/// Bytes coded in the first way, or in the shorter of the first two.
fn shortest(bytes: &[u8], or_as_text: bool) -> Option<(Coding, Vec<u8>)> {
    let plain = coding::encode(bytes).map(|coded| (Coding::Bytes, coded));
    let by_context = if or_as_text { context_coding::encode(bytes) } else { None };
    let codings = [plain, by_context.map(|coded| (Coding::Text, coded))];
    codings.into_iter().flatten().min_by_key(|(_, coded)| coded.len())
}

/// A tensor's sizes and scales coded apart from its elements: they are other bytes, and a scale's first byte says something of
/// its second. With endings the elements are coded as rows of words; none if they are not of four bits.
fn encode_matrix(bytes: &[u8], endings: &[u16]) -> Option<Vec<u8>> {
    let (head, elements) = bytes.split_at(tensor::head_length(bytes));
    let (coding, coded) = shortest(head, true)?;
    let mut all = Vec::new();
    for field in [coding as u32, head.len() as u32, coded.len() as u32] {
        all.extend(field.to_le_bytes());
    }
    all.extend(coded);
    all.extend(match (endings, tensor::columns_of_halves(head)) {
        ([], _) => coding::encode(elements)?,
        (_, columns) => row_coding::encode(elements, columns?, endings)?,
    });
    Some(all)
}

/// Splits a file into its sections, each proven to be where it must be, of a known kind and single. Whether it is undamaged
/// shows when it is read.
pub(super) fn read(source: &dyn Source) -> Result<Vec<Section<'_>>, Error> {
    let head = source.read(0..source.len().min(HEADER_LENGTH + limits::SECTIONS * ENTRY_LENGTH));
    let count = read_header(&head, source.len())?;
    let mut sections: Vec<Section> = Vec::with_capacity(count);
    let mut end = HEADER_LENGTH + count * ENTRY_LENGTH;
    let mut expanded = 0;
    for number in 0..count {
        let entry = Entry::from_bytes(&head[entry_range(number)])?;
        let section = read_section(source, end, &entry)?;
        if sections.last().is_some_and(|last| (last.kind, last.index) >= (section.kind, section.index)) {
            return Err(Error::corrupt("header", "its sections are not in rising order"));
        }
        end = section.offset + section.length;
        // Each by itself, too: four bytes of length and those of others are more than a browser's addresses can tell.
        Error::check_limit("length of a section", entry.expanded_length as usize, limits::FILE)?;
        expanded += entry.expanded_length as usize;
        Error::check_limit("length of all sections", expanded, limits::FILE)?;
        sections.push(section);
    }
    if end != source.len() {
        return Err(Error::corrupt("header", "the file does not end with its last section"));
    }
    Ok(sections)
}

/// Checks all of the header of a file of so many bytes and returns the number of sections. `head` is the beginning of the file,
/// as much of it as header and table can take.
fn read_header(head: &[u8], file_length: usize) -> Result<usize, Error> {
    if !head.starts_with(&MAGIC) {
        return Err(Error::NotAModel);
    }
    let truncated = |expected: u64| Error::Truncated { expected, actual: file_length as u64 };
    let fields = head.get(MAGIC.len()..HEADER_LENGTH).ok_or(truncated(HEADER_LENGTH as u64))?;
    let mut fields = Reader::new(fields, "header");
    let version = fields.u32()?;
    if version != VERSION {
        return Err(Error::WrongVersion { found: version, supported: VERSION });
    }
    let count = fields.u32()? as usize;
    let length = fields.u64()?;
    let checksum = fields.u64()?;
    Error::check_limit("file length", usize::try_from(length).unwrap_or(usize::MAX), limits::FILE)?;
    Error::check_limit("number of sections", count, limits::SECTIONS)?;
    if (file_length as u64) < length {
        return Err(truncated(length));
    }
    if file_length as u64 > length || HEADER_LENGTH + count * ENTRY_LENGTH > file_length {
        return Err(Error::corrupt("header", "the file's length is not the one it states"));
    }
    if header_checksum(head, count) != checksum {
        return Err(Error::corrupt("header", "its checksum does not match"));
    }
    Ok(count)
}

/// The section of a table entry; the section before it ends at `end`.
fn read_section<'a>(source: &'a dyn Source, end: usize, entry: &Entry) -> Result<Section<'a>, Error> {
    let kind = SectionKind::from_code(entry.kind)
        .ok_or(Error::Unsupported { section: "header", what: "a kind of section" })?;
    let coding = Coding::from_code(entry.encoding);
    if coding.is_none() && entry.encoding != RAW {
        return Err(Error::Unsupported { section: kind.name(), what: "an unknown entropy coding" });
    }
    if matches!(coding, Some(Coding::Matrix | Coding::Rows)) && kind.form() != Form::Matrix {
        return Err(Error::corrupt(kind.name(), "it is coded as matrices are"));
    }
    if coding.is_none() && entry.stored_length != entry.expanded_length {
        return Err(Error::corrupt(kind.name(), "its two lengths differ though it is stored raw"));
    }
    let (offset, length) = (entry.offset as usize, entry.stored_length as usize);
    if offset.checked_add(length).is_none_or(|end| end > source.len()) {
        return Err(Error::corrupt(kind.name(), "it lies outside of the file"));
    }
    if offset != end.next_multiple_of(ALIGNMENT) {
        return Err(Error::corrupt(
            kind.name(),
            "it does not begin at the first multiple of 64 after the section before",
        ));
    }
    if source.read(end..offset).iter().any(|&byte| byte != 0) {
        return Err(Error::corrupt(kind.name(), "the padding before it is not zero"));
    }
    let coded = coding.map(|coding| (coding, entry.expanded_length as usize));
    Ok(Section { kind, index: entry.index, offset, length, coded, checksum: entry.checksum, source })
}

/// Recomputes every checksum of a file whose table can be made out, so that tests of the reader get past them.
#[doc(hidden)]
pub fn reseal(file: &mut [u8]) {
    let Some(count) = file.get(12..16).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes) else {
        return;
    };
    let count = count as usize;
    if count > limits::SECTIONS || HEADER_LENGTH + count * ENTRY_LENGTH > file.len() {
        return;
    }
    for number in 0..count {
        let range = entry_range(number);
        let Ok(entry) = Entry::from_bytes(&file[range.clone()]) else { continue };
        let offset = entry.offset as usize;
        let section = offset..offset.saturating_add(entry.stored_length as usize);
        if let Some(bytes) = file.get(section) {
            let checksum = XxHash64::oneshot(HASH_SEED, bytes).to_le_bytes();
            file[range.start + ENTRY_CHECKSUM..range.end].copy_from_slice(&checksum);
        }
    }
    let checksum = header_checksum(file, count).to_le_bytes();
    file[HEADER_CHECKSUM..HEADER_LENGTH].copy_from_slice(&checksum);
}

/// The hash of the header without its checksum, followed by the table of `count` entries.
fn header_checksum(file: &[u8], count: usize) -> u64 {
    let mut hasher = XxHash64::with_seed(HASH_SEED);
    hasher.write(&file[..HEADER_CHECKSUM]);
    hasher.write(&file[HEADER_LENGTH..HEADER_LENGTH + count * ENTRY_LENGTH]);
    hasher.finish()
}

fn entry_range(number: usize) -> Range<usize> {
    let start = HEADER_LENGTH + number * ENTRY_LENGTH;
    start..start + ENTRY_LENGTH
}

/// An entry of the section table.
struct Entry {
    kind: u32,
    index: u32,
    /// Whether it is raw or entropy-coded.
    encoding: u32,
    offset: u32,
    stored_length: u32,
    expanded_length: u32,
    checksum: u64,
}

impl Entry {
    fn to_bytes(&self) -> [u8; ENTRY_LENGTH] {
        let mut bytes = [0; ENTRY_LENGTH];
        let fields = [self.kind, self.index, self.encoding, self.offset, self.stored_length, self.expanded_length];
        for (field, to) in fields.iter().zip(bytes.chunks_exact_mut(4)) {
            to.copy_from_slice(&field.to_le_bytes());
        }
        bytes[ENTRY_CHECKSUM..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Entry, Error> {
        let mut fields = Reader::new(bytes, "header");
        Ok(Entry {
            kind: fields.u32()?,
            index: fields.u32()?,
            encoding: fields.u32()?,
            offset: fields.u32()?,
            stored_length: fields.u32()?,
            expanded_length: fields.u32()?,
            checksum: fields.u64()?,
        })
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    /// A written tensor of 4-bit elements with a scale a row, of few different ones.
    fn tensor(rows: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [4, rows as u32, 16, rows as u32].iter().flat_map(|field| field.to_le_bytes()).collect();
        bytes.extend((0..rows).flat_map(|row| [0x10, 0x20, 0x38, 0x55].map(|low| [low, 0x2c])[row * row % 4]));
        bytes.extend((0..8 * rows).map(|i| [0x00, 0x1f, 0xf0, 0x21, 0xee][i * i % 5]));
        bytes
    }

    fn read(coded: &[u8], length: usize, pieces: &[usize]) -> Result<Vec<u8>, Error> {
        let mut contents = Contents::coded(Stored::all(&coded), Coding::Matrix, length, &[], "test")?;
        let mut bytes = Vec::new();
        for &piece in pieces {
            let from = bytes.len();
            bytes.resize(from + piece, 0);
            contents.fill(&mut bytes[from..])?;
        }
        bytes.extend(contents.rest()?);
        contents.finish().map(|()| bytes)
    }

    #[test]
    fn scales_are_coded_apart_from_elements() {
        let bytes = tensor(500);
        let (coding, coded) = encode(SectionKind::Embedding, &bytes, &[]).unwrap();
        assert_eq!(coding, Coding::Matrix);
        let plain = coding::encode(&bytes).unwrap();
        assert!(coded.len() + 500 < plain.len(), "{} bytes, {} with one table", coded.len(), plain.len());
        // Whole, up to the border, across it.
        for pieces in [&[][..], &[16, 1000], &[16, 999, 2], &[2000]] {
            assert_eq!(read(&coded, bytes.len(), pieces).unwrap(), bytes);
        }
        assert_ne!(encode(SectionKind::WordFlags, &bytes, &[]).unwrap().0, Coding::Matrix);
    }

    #[test]
    fn rows_of_words_are_coded_as_such_where_it_is_worth_it() {
        let sizes = [4, 2000, 16, 0].map(u32::to_le_bytes).concat();
        let hash = |number: u32| {
            let number = (number + 1).wrapping_mul(2_654_435_761);
            (number ^ number >> 15).wrapping_mul(2_246_822_519) >> 16
        };
        let endings: Vec<u16> = (0..2000).map(|row| hash(row) as u16 % 7).collect();
        // Rows that are the same wherever words end alike, then rows that have nothing to do with endings.
        let row = |number: u32| (0..8).map(move |byte| (hash(8 * number + byte) & 0x33) as u8);
        let alike = endings.iter().flat_map(|&ending| row(ending.into()));
        let other = (0..2000).flat_map(row);
        let [alike, other]: [Vec<u8>; 2] =
            [sizes.iter().copied().chain(alike).collect(), sizes.iter().copied().chain(other).collect()];
        let (coding, coded) = encode(SectionKind::Output, &alike, &endings).unwrap();
        assert_eq!(coding, Coding::Rows);
        assert!(coded.len() * 4 < encode(SectionKind::Output, &alike, &[]).unwrap().1.len() * 3, "{}", coded.len());
        let source = &coded[..];
        let mut contents = Contents::coded(Stored::all(&source), coding, alike.len(), &endings, "test").unwrap();
        assert_eq!(contents.rest().unwrap(), alike);
        contents.finish().unwrap();
        assert_ne!(encode(SectionKind::Output, &other, &endings).unwrap().0, Coding::Rows);
        // Elements of another size are not.
        let mut bytes = alike.clone();
        bytes[..4].copy_from_slice(&8_u32.to_le_bytes());
        assert_ne!(encode(SectionKind::Output, &bytes, &endings).unwrap().0, Coding::Rows);
    }

    #[test]
    fn parts_of_a_matrix_are_checked() {
        let bytes = tensor(100);
        let coded = encode_matrix(&bytes, &[]).unwrap();
        let with = |at: usize, value: u32| {
            let mut coded = coded.clone();
            coded[at..at + 4].copy_from_slice(&value.to_le_bytes());
            read(&coded, bytes.len(), &[]).err()
        };
        assert!(matches!(with(0, 3), Some(Error::Unsupported { .. })), "a matrix in a matrix");
        for (at, value) in [(4, 215), (4, 217), (4, u32::MAX), (8, 0), (8, u32::MAX)] {
            assert!(with(at, value).is_some(), "{value} at {at}");
        }
        assert!(read(&coded, bytes.len() - 1, &[]).is_err());
        assert!(read(&coded, bytes.len() + 1, &[]).is_err());
        assert!(read(&coded[..11], bytes.len(), &[]).is_err());
        assert!(read(&coded, bytes.len(), &[bytes.len() + 1]).is_err(), "more than there is");
    }
}
