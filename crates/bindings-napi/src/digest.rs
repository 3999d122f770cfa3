use napi::{Error, Result};
use napi_derive::napi;
use ramekin_codec::{Algorithm, Hasher};

#[napi(js_name = "Hasher")]
pub struct JsHasher(Option<Hasher>);

#[napi]
impl JsHasher {
    #[napi(constructor)]
    pub fn new(algorithm: String) -> Result<Self> {
        let algorithm =
            Algorithm::named(&algorithm).ok_or_else(|| Error::from_reason("unknown algorithm"))?;
        Ok(Self(Some(Hasher::new(algorithm))))
    }

    #[napi]
    pub fn update(&mut self, chunk: &[u8]) -> Result<()> {
        self.0.as_mut().ok_or_else(ended)?.update(chunk);
        Ok(())
    }

    /// `sha256:<hex>`; ends the computation.
    #[napi]
    pub fn digest(&mut self) -> Result<String> {
        Ok(self.0.take().ok_or_else(ended)?.finish())
    }
}

fn ended() -> Error {
    Error::from_reason("the digest was taken already")
}
