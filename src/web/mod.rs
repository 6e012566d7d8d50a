//! The boundary to JavaScript. It converts and decides nothing; `js/engine.ts` is its other side.

use std::borrow::Cow;
use std::ops::Range;

use js_sys::{Array, Error as JsError, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::format::Source;
use crate::predict::{Blend, Personal, known_words};
use crate::{Error, Model, Session};

/// A loaded model, the text it is at, and the words of the person who types.
#[wasm_bindgen]
pub struct Engine {
    model: Model,
    session: Session,
    personal: Personal,
}

#[wasm_bindgen]
impl Engine {
    /// Loads the bytes of a `.lm` file. Throws an `Error` named `LmError`, its `code` the kind of the
    /// [error](crate::ErrorKind::code).
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Uint8Array) -> Result<Engine, JsValue> {
        let model = Model::read(&bytes).map_err(|error| to_js(&error))?;
        let session = Session::new(&model);
        Ok(Engine { model, session, personal: Personal::new() })
    }

    /// At most `k` suggestions for the caret at the end of `text`, flat:
    /// `[length of the typed prefix in UTF-16 units, text 0, probability 0, text 1, probability 1, …]`.
    pub fn suggest(&mut self, text: &str, k: usize) -> Array {
        let suggestions = Blend::default().suggest(&mut self.session, &self.model, &self.personal, text, k);
        let flat = Array::new();
        flat.push(&(suggestions.prefix.encode_utf16().count() as u32).into());
        for item in &suggestions.items {
            flat.push(&JsValue::from_str(&item.text));
            flat.push(&item.probability.into());
        }
        flat
    }

    /// How many of the last words of `text` the model knows; see [`known_words`].
    pub fn known_words(&self, text: &str) -> f32 {
        known_words(&self.model, text)
    }

    /// Learns the last word of `text`; see [`Personal::learn`]. An empty string if there is none.
    pub fn learn(&mut self, text: &str) -> String {
        self.personal.learn(text).unwrap_or_default()
    }

    /// The personal words as text.
    pub fn export_personal(&self) -> String {
        self.personal.export()
    }

    /// Changes the personal words by command: `forget`, `block`, `unblock` (a word), `import` (what was exported) or `clear`, which
    /// forgets everything that was learned and blocked. Throws an `LmError` that names the line at fault of what is imported.
    pub fn change_personal(&mut self, command: &str, argument: &str) -> Result<(), JsValue> {
        match command {
            "forget" => self.personal.forget(argument),
            "block" => self.personal.block(argument),
            "unblock" => self.personal.unblock(argument),
            "import" => self.personal.import(argument).map_err(|error| to_js(&error))?,
            "clear" => self.personal = Personal::new(),
            // A later version may have written it to the journal of the page.
            _ => {}
        }
        Ok(())
    }

    /// What the model says about itself, in lines of `key = value`.
    pub fn metadata(&self) -> String {
        self.model.metadata().to_string()
    }

    /// The number of words the model knows.
    pub fn vocabulary_size(&self) -> usize {
        self.model.vocabulary().words().len()
    }
}

/// The bytes of a file stay where they are until they are asked for.
impl Source for Uint8Array {
    fn len(&self) -> usize {
        self.length() as usize
    }

    fn read(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        // Neither end is beyond the length, which is 32-bit.
        Cow::Owned(self.subarray(range.start as u32, range.end as u32).to_vec())
    }
}

#[wasm_bindgen]
extern "C" {
    /// An `Error` with a code. A setter of its own, where `Reflect.set` would bring what catches exceptions.
    #[wasm_bindgen(extends = JsError)]
    type CodedError;

    #[wasm_bindgen(method, setter)]
    fn set_code(this: &CodedError, code: &str);
}

fn to_js(error: &Error) -> JsValue {
    let js: CodedError = JsError::new(&error.to_string()).unchecked_into();
    js.set_name("LmError");
    js.set_code(error.kind().code());
    js.into()
}
