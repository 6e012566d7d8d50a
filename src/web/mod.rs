//! The boundary to JavaScript. It converts and decides nothing; `js/engine.ts` is its other side.

use std::borrow::Cow;
use std::ops::Range;

use js_sys::{Array, Uint8Array};
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
    /// Loads the bytes of a `.lm` file. Throws a text: the [code](crate::ErrorKind::code) of the error, a line break and its
    /// message.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Uint8Array) -> Result<Engine, JsValue> {
        #[cfg(target_feature = "relaxed-simd")]
        if !crate::simd::relaxed_lookups_take_the_lower_bits() {
            return Err("wasm\nthis processor needs lm_wasm_bg.wasm instead of lm_wasm_relaxed_bg.wasm".into());
        }
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

    /// Acts on the personal words by command; what it answers is empty where nothing else is said:
    ///
    /// - `learn`: learns the last word of a text and answers with what of it another engine learns the same from, if
    ///   anything; see [`Personal::learn`];
    /// - `forget`, `block`, `unblock`: a word;
    /// - `export`: answers with all of them as text;
    /// - `import`: what was exported. Throws as `new` does, and names the line at fault;
    /// - `clear`: forgets everything that was learned and blocked.
    pub fn personal(&mut self, command: &str, argument: &str) -> Result<String, JsValue> {
        match command {
            "learn" => return Ok(self.personal.learn(argument).unwrap_or_default()),
            "forget" => self.personal.forget(argument),
            "block" => self.personal.block(argument),
            "unblock" => self.personal.unblock(argument),
            "export" => return Ok(self.personal.export()),
            "import" => self.personal.import(argument).map_err(|error| to_js(&error))?,
            "clear" => self.personal = Personal::new(),
            // A later version may have written it to the journal of the page.
            _ => {}
        }
        Ok(String::new())
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

/// As a text, for the class of errors is JavaScript's own: the [code](crate::ErrorKind::code), a line break and the message.
fn to_js(error: &Error) -> JsValue {
    JsValue::from_str(&format!("{}\n{error}", error.kind().code()))
}
