use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use napi::bindgen_prelude::Object;
use napi::{Env, Error, Result};
use napi_derive::napi;
use ramekin_codec::{decode, Encoder, Format};

use crate::queue::{Chunks, Input, Queue};

/// One stream on its way through a codec, on a thread of its own: libuv's four threads are for short calls, and an
/// AsyncTask cannot be stopped once it runs. Dropped, it is cancelled.
#[napi]
pub struct Transform(Arc<Queue>);

#[napi]
impl Transform {
    /// More output than `max_output` is an error, and is not handed out.
    #[napi(factory)]
    pub fn decoder(format: String, max_output: Option<f64>) -> Result<Self> {
        let format = named(&format)?;
        Ok(start(move |input, output| {
            let limit = max_output.map_or(u64::MAX, |limit| limit as u64);
            let mut decoder = decode(format, input);
            let mut buffer = vec![0; 64 << 10];
            let mut total = 0;
            loop {
                let length = decoder.read(&mut buffer)?;
                if length == 0 {
                    return output.flush();
                }
                total += length as u64;
                if total > limit {
                    return Err(io::Error::new(
                        ErrorKind::FileTooLarge,
                        format!("the stream decodes to more than {limit} bytes"),
                    ));
                }
                output.write_all(&buffer[..length])?;
            }
        }))
    }

    #[napi(factory)]
    pub fn encoder(format: String, level: Option<i32>) -> Result<Self> {
        let format = named(&format)?;
        Ok(start(move |mut input, output| {
            let mut encoder = Encoder::new(format, level, output)?;
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?.flush()
        }))
    }

    /// Resolves once there is room for more; with false when no more is wanted.
    #[napi(ts_return_type = "Promise<boolean>")]
    pub fn write<'env>(&self, env: &'env Env, chunk: &[u8]) -> Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        self.0.write(chunk.to_vec(), deferred);
        Ok(promise)
    }

    #[napi]
    pub fn end(&self) {
        self.0.end();
    }

    /// The next chunk, null at the end; rejects with `CODE: message`.
    #[napi(ts_return_type = "Promise<Buffer | null>")]
    pub fn read<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        self.0.read(deferred);
        Ok(promise)
    }

    #[napi]
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Drop for Transform {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn named(format: &str) -> Result<Format> {
    Format::named(format)
        .ok_or_else(|| Error::from_reason(format!("UNSUPPORTED: unknown format {format}")))
}

fn start(work: impl FnOnce(Input, &mut Chunks) -> io::Result<()> + Send + 'static) -> Transform {
    let queue = Arc::new(Queue::default());
    let transform = Transform(queue.clone());
    std::thread::spawn(move || {
        let result = work(Input::new(queue.clone()), &mut Chunks::new(queue.clone()));
        queue.conclude(result.map_err(|error| format!("{}: {error}", code(&error))));
    });
    transform
}

fn code(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::FileTooLarge => "RESOURCE_EXHAUSTED",
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => "DATA_LOSS",
        ErrorKind::InvalidInput => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}
