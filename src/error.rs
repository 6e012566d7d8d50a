//! The one error of the library. Every message names the thing at fault and what to do about it.

/// What is wrong with a model file, with the parts that one is to be written from, or with exported personal words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin with the magic of a model file.
    #[error(
        "not an lm-wasm model: the magic bytes are missing; check that the address serves a .lm file and not a web page"
    )]
    NotAModel,
    /// The file is of a format version that this build does not read.
    #[error(
        "the model file has format version {found}, this build reads version {supported}; \
         export the model again or use the release of lm-wasm it was made for"
    )]
    WrongVersion {
        /// The version the file names.
        found: u32,
        /// The version this build reads.
        supported: u32,
    },
    /// The file is shorter than its header says.
    #[error("the model file ends after {actual} of {expected} bytes; download it again")]
    Truncated {
        /// The length the file should have, in bytes.
        expected: u64,
        /// The length it has, in bytes.
        actual: u64,
    },
    /// A part of the file contradicts its checksum, the format or another part.
    #[error("the model's {section} is not valid: {reason}; download or export it again")]
    Corrupt {
        /// The section at fault, or `header`.
        section: &'static str,
        /// What the format demands of it.
        reason: &'static str,
    },
    /// The file asks for something that this build knows to exist and cannot do.
    #[error("the model's {section} uses {what}, which this build does not support; use a newer release of lm-wasm")]
    Unsupported {
        /// The section at fault.
        section: &'static str,
        /// What it asks for.
        what: &'static str,
    },
    /// Text that was to be read as personal words is something else.
    #[error("line {line} of the personal words cannot be read: {reason}; pass what was exported, unchanged")]
    PersonalWords {
        /// The line at fault, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A count or size is above the limit of the format.
    #[error("the model's {what} is {value}, the format allows {limit}; make the model smaller")]
    LimitExceeded {
        /// The count or size.
        what: &'static str,
        /// The value found.
        value: u64,
        /// The largest value allowed.
        limit: u64,
    },
}

/// The kinds of [`Error`], for code that must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// See [`Error::NotAModel`].
    NotAModel,
    /// See [`Error::WrongVersion`].
    WrongVersion,
    /// See [`Error::Truncated`].
    Truncated,
    /// See [`Error::Corrupt`].
    Corrupt,
    /// See [`Error::Unsupported`].
    Unsupported,
    /// See [`Error::LimitExceeded`].
    LimitExceeded,
    /// See [`Error::PersonalWords`].
    PersonalWords,
}

impl Error {
    /// The kind of this error, without its data.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::NotAModel => ErrorKind::NotAModel,
            Error::WrongVersion { .. } => ErrorKind::WrongVersion,
            Error::Truncated { .. } => ErrorKind::Truncated,
            Error::Corrupt { .. } => ErrorKind::Corrupt,
            Error::Unsupported { .. } => ErrorKind::Unsupported,
            Error::LimitExceeded { .. } => ErrorKind::LimitExceeded,
            Error::PersonalWords { .. } => ErrorKind::PersonalWords,
        }
    }

    /// `section` breaks the rule of the format that `reason` states.
    pub(crate) fn corrupt(section: &'static str, reason: &'static str) -> Error {
        Error::Corrupt { section, reason }
    }

    /// Fails if `value`, the file's `what`, is above `limit`.
    pub(crate) fn check_limit(what: &'static str, value: usize, limit: usize) -> Result<(), Error> {
        if value <= limit {
            return Ok(());
        }
        Err(Error::LimitExceeded { what, value: value as u64, limit: limit as u64 })
    }
}

impl ErrorKind {
    /// A stable name in kebab case: the `code` of the error that JavaScript sees.
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::NotAModel => "not-a-model",
            ErrorKind::WrongVersion => "wrong-version",
            ErrorKind::Truncated => "truncated",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::LimitExceeded => "limit-exceeded",
            ErrorKind::PersonalWords => "personal-words",
        }
    }
}
