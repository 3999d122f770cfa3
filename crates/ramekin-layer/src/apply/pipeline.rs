//! Blob to bytes of tar: one thread verifies and decompresses, one computes the diff id, while the caller creates files.
//! Creating files is the slowest part by far (reference: 0.2 ms each), so both hide behind it.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;
use std::thread::JoinHandle;

use ramekin_codec::{decode, Algorithm, Format, Hasher};
use ramekin_sys::{Code, Context, Error, Result};

use super::Blob;

const CHUNK: usize = 256 << 10;
/// Chunks on their way: bounds memory, and lets the decoder run ahead of a burst of small files.
const AHEAD: usize = 16;

/// Buffers go round: fresh ones of this size would be mapped and faulted in anew each time.
struct Chunk {
    bytes: Vec<u8>,
    home: SyncSender<Vec<u8>>,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // Full or gone: then it is freed.
        let _ = self.home.try_send(std::mem::take(&mut self.bytes));
    }
}

/// The uncompressed stream.
pub struct Chunks {
    arriving: Receiver<std::io::Result<Arc<Chunk>>>,
    current: Option<Arc<Chunk>>,
    at: usize,
    decoder: JoinHandle<Result<u64>>,
    hasher: JoinHandle<String>,
}

pub fn start(
    source: impl Read + Send + 'static,
    blob: &Blob,
    limit: Option<u64>,
) -> Result<Chunks> {
    let blob = blob.clone();
    if let Some(digest) = &blob.digest {
        if Algorithm::of_digest(digest).is_none() {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("bad digest {digest}"),
            ));
        }
    }
    let (send, arriving) = sync_channel(AHEAD);
    let (send_hash, to_hash) = sync_channel::<Arc<Chunk>>(AHEAD);
    let hasher = std::thread::spawn(move || {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for chunk in to_hash {
            hasher.update(&chunk.bytes);
        }
        hasher.finish()
    });
    let decoder = std::thread::spawn(move || {
        let result = decompress(source, &blob, limit, &send, &send_hash);
        if let Err(error) = &result {
            // Nobody listens after the end of the archive; `finish` has the error too.
            let _ = send.send(Err(error.clone().into()));
        }
        result
    });
    Ok(Chunks {
        arriving,
        current: None,
        at: 0,
        decoder,
        hasher,
    })
}

impl Chunks {
    /// Reads what is left, for the sums are over all of it. Diff id and size, or why the blob is not what it should be.
    pub fn finish(self) -> Result<(String, u64)> {
        for chunk in self.arriving {
            if chunk.is_err() {
                break;
            }
        }
        let died = |_| Error::new(Code::Internal, "a thread of the layer pipeline died");
        let size = self.decoder.join().map_err(died)??;
        Ok((self.hasher.join().map_err(died)?, size))
    }
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self
            .current
            .as_ref()
            .is_none_or(|chunk| self.at == chunk.bytes.len())
        {
            self.current = self.arriving.recv().ok().transpose()?;
            self.at = 0;
        }
        Ok(self
            .current
            .as_ref()
            .map_or(&[], |chunk| &chunk.bytes[self.at..]))
    }

    fn consume(&mut self, length: usize) {
        self.at += length;
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

/// Counts and hashes the blob as stored, and stops at its declared size.
struct Verified<'a, R> {
    source: R,
    size: Option<u64>,
    read: &'a mut u64,
    hasher: &'a mut Option<Hasher>,
}

impl<R: Read> Read for Verified<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.source.read(buffer)?;
        *self.read += length as u64;
        if let Some(size) = self.size.filter(|size| *self.read > *size) {
            return Err(Error::new(
                Code::DataLoss,
                format!("the blob is longer than its {size} bytes"),
            )
            .into());
        }
        if let Some(hasher) = self.hasher {
            hasher.update(&buffer[..length]);
        }
        Ok(length)
    }
}

fn decompress(
    source: impl Read + Send,
    blob: &Blob,
    limit: Option<u64>,
    send: &SyncSender<std::io::Result<Arc<Chunk>>>,
    send_hash: &SyncSender<Arc<Chunk>>,
) -> Result<u64> {
    let mut read = 0;
    let mut hasher = blob
        .digest
        .as_deref()
        .and_then(Algorithm::of_digest)
        .map(Hasher::new);
    let source = Verified {
        source,
        size: blob.size,
        read: &mut read,
        hasher: &mut hasher,
    };
    let size = pump(source, blob.media_type.as_deref(), limit, send, send_hash)?;
    if let Some(declared) = blob.size.filter(|declared| *declared != read) {
        return Err(Error::new(
            Code::DataLoss,
            format!("the blob has {read} bytes instead of {declared}"),
        ));
    }
    if let (Some(hasher), Some(digest)) = (hasher, &blob.digest) {
        let found = hasher.finish();
        if found != *digest {
            return Err(Error::new(
                Code::DataLoss,
                format!("the blob's digest is {found} instead of {digest}"),
            ));
        }
    }
    Ok(size)
}

fn pump(
    mut source: impl Read + Send,
    media_type: Option<&str>,
    limit: Option<u64>,
    send: &SyncSender<std::io::Result<Arc<Chunk>>>,
    send_hash: &SyncSender<Arc<Chunk>>,
) -> Result<u64> {
    let mut first = Vec::new();
    source
        .by_ref()
        .take(16)
        .read_to_end(&mut first)
        .context(|| "read the layer")?;
    let format = match (
        media_type.and_then(Format::of_media_type),
        Format::detect(&first),
    ) {
        (Some(said), Format::Identity) => said,
        (_, detected) => detected,
    };
    let mut decoder = decode(
        format,
        BufReader::with_capacity(CHUNK, Cursor::new(first).chain(source)),
    );
    let (home, returned) = sync_channel(2 * AHEAD);
    let mut size = 0;
    loop {
        let mut bytes: Vec<u8> = returned.try_recv().unwrap_or_default();
        bytes.resize(CHUNK, 0);
        let length = fill(&mut decoder, &mut bytes).context(|| "decode the layer")?;
        if length == 0 {
            return Ok(size);
        }
        size += length as u64;
        if let Some(limit) = limit.filter(|limit| size > *limit) {
            return Err(Error::new(
                Code::ResourceExhausted,
                format!("the layer has more than {limit} bytes"),
            ));
        }
        bytes.truncate(length);
        let chunk = Arc::new(Chunk {
            bytes,
            home: home.clone(),
        });
        // Whoever is gone wants no more; then the result of this thread is of no interest either.
        if send_hash.send(chunk.clone()).is_err() || send.send(Ok(chunk)).is_err() {
            return Err(Error::new(Code::Aborted, "nobody reads the layer any more"));
        }
    }
}

fn fill(source: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
