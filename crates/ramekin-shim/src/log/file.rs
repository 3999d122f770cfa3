//! A log file that starts anew before it grows past its limit: `log`, `log.1`, `log.2` …, as Docker numbers them, or `log.1.gz` …
//!
//! While the last one is being compressed none can be rotated. What comes until then waits, and the process with it; or, where
//! it must never wait, as much waits as there is room for, and the rest is dropped.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ramekin_sys::{Context, Result};

use super::compressor::{compressed, with_suffix, Compressor};
use crate::config::Rotation;

#[derive(Debug)]
pub struct RotatedFile {
    path: PathBuf,
    file: File,
    size: u64,
    rotation: Rotation,
    /// Bytes that may wait; `None`: the process waits instead.
    room: Option<usize>,
    /// Where, in the batch that is being put together, records begin.
    records: Vec<usize>,
    /// Of the last record.
    time: SystemTime,
    compressor: Option<Compressor>,
    waiting: Batch,
    dropped: u64,
}

/// Records one after the other.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl RotatedFile {
    pub fn open(path: &Path, rotation: Rotation, room: Option<usize>) -> Result<Self> {
        let file = create(path).context(|| format!("log {}", path.display()))?;
        let size = file
            .metadata()
            .context(|| format!("log {}", path.display()))?
            .len();
        Ok(RotatedFile {
            path: path.into(),
            file,
            size,
            rotation,
            room,
            records: Vec::new(),
            time: SystemTime::now(),
            compressor: None,
            waiting: Batch::default(),
            dropped: 0,
        })
    }

    /// A record of `time` begins at `start` of the batch.
    pub fn note_record(&mut self, start: usize, time: SystemTime) {
        if self.rotation.max_bytes.is_some() {
            self.records.push(start);
            self.time = time;
        }
    }

    /// Appends the batch in as few writes as rotation allows: a record is never torn.
    pub fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let starts = std::mem::take(&mut self.records);
        let written = match self.waiting.bytes.is_empty() {
            true => self.append_records(batch, &starts)?,
            false => 0,
        };
        self.wait_with(batch, &starts, written);
        Ok(())
    }

    /// Up to where it has come: the next record has to wait for the compressor.
    fn append_records(&mut self, batch: &[u8], starts: &[usize]) -> io::Result<usize> {
        let mut written = 0;
        let Some(limit) = self.rotation.max_bytes else {
            self.append(batch)?;
            return Ok(batch.len());
        };
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(batch.len());
            let pending = (start - written) as u64;
            let length = (end - start) as u64;
            if self.size + pending > 0 && self.size + pending + length > limit {
                self.append(&batch[written..*start])?;
                written = *start;
                if self.compressor.is_some() {
                    return Ok(written);
                }
                self.rotate()?;
            }
        }
        self.append(&batch[written..])?;
        Ok(batch.len())
    }

    /// What of the batch begins at `from` or later.
    fn wait_with(&mut self, batch: &[u8], starts: &[usize], from: usize) {
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(batch.len());
            let most = self.room.unwrap_or(usize::MAX);
            let full = self.waiting.bytes.len() + end - start > most;
            if *start < from {
                continue;
            } else if full && !self.waiting.bytes.is_empty() {
                self.dropped += 1;
            } else {
                self.waiting.starts.push(self.waiting.bytes.len());
                self.waiting.bytes.extend_from_slice(&batch[*start..end]);
            }
        }
    }

    /// The process should wait.
    pub fn is_congested(&self) -> bool {
        self.room.is_none() && !self.waiting.bytes.is_empty()
    }

    /// Readable when there is something to `proceed` with.
    pub fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.compressor.as_ref().map(Compressor::pidfd)
    }

    /// If the compressor has ended, on with what waits.
    pub fn proceed(&mut self) -> io::Result<()> {
        if self.compressor.as_ref().is_none_or(Compressor::has_ended) {
            self.compressor = None;
            let Batch { bytes, starts } = std::mem::take(&mut self.waiting);
            let written = self.append_records(&bytes, &starts)?;
            let room = self.room.take(); // it has had room until now
            self.wait_with(&bytes, &starts, written);
            self.room = room;
        }
        Ok(())
    }

    /// Nothing more will come.
    pub fn finish(&mut self) -> io::Result<()> {
        while self.compressor.is_some() || !self.waiting.bytes.is_empty() {
            self.compressor = None; // it is waited for
            self.proceed()?;
        }
        Ok(())
    }

    /// Records that there was no room for, since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        match self.rotation.max_files.unwrap_or(1).saturating_sub(1) {
            0 => self.file.set_len(0)?,
            oldest => self.move_up(oldest)?,
        }
        self.size = 0;
        Ok(())
    }

    fn move_up(&mut self, oldest: u32) -> io::Result<()> {
        for name in self.both(oldest) {
            unless_absent(fs::remove_file(name))?;
        }
        for number in (1..oldest).rev() {
            for (from, to) in self.both(number).into_iter().zip(self.both(number + 1)) {
                unless_absent(fs::rename(from, to))?;
            }
        }
        let [first, _] = self.both(1);
        unless_absent(fs::rename(&self.path, &first))?;
        self.file = create(&self.path)?;
        if self.rotation.compress {
            match Compressor::start(&first, self.time) {
                Ok(compressor) => self.compressor = Some(compressor),
                Err(error) => {
                    crate::report(format_args!("{} stays as it is: {error}", first.display()));
                }
            }
        }
        Ok(())
    }

    /// What the file of that number may be called.
    fn both(&self, number: u32) -> [PathBuf; 2] {
        let plain = with_suffix(&self.path, &format!(".{number}"));
        let packed = compressed(&plain);
        [plain, packed]
    }
}

fn unless_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    File::options()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn rotation(max_bytes: u64, max_files: Option<u32>, compress: bool) -> Rotation {
        Rotation {
            max_bytes: Some(max_bytes),
            max_files,
            compress,
        }
    }

    fn write(file: &mut RotatedFile, records: &[&str]) {
        let mut batch = Vec::new();
        for record in records {
            file.note_record(batch.len(), SystemTime::now());
            batch.extend(record.as_bytes());
        }
        file.write(&batch).unwrap();
    }

    fn within_directory(test: impl FnOnce(&Path)) {
        let directory = std::env::temp_dir().join(format!(
            "ramekin-log-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        fs::create_dir(&directory).unwrap();
        test(&directory);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn older_files_move_up_and_the_oldest_goes() {
        within_directory(|directory| {
            let path = directory.join("log");
            let mut file = RotatedFile::open(&path, rotation(4, Some(3), false), None).unwrap();
            write(&mut file, &["aa", "bb", "cc", "dd", "ee", "ff", "gg"]);
            let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
            assert_eq!(
                [read("log"), read("log.1"), read("log.2"), read("log.3")],
                ["gg", "eeff", "ccdd", ""]
            );
        });
    }

    #[test]
    fn with_one_file_it_starts_over() {
        within_directory(|directory| {
            let path = directory.join("log");
            let mut file = RotatedFile::open(&path, rotation(4, None, false), None).unwrap();
            write(&mut file, &["aaa", "bbb"]);
            assert_eq!(fs::read_to_string(&path).unwrap(), "bbb");
            assert_eq!(fs::read_dir(directory).unwrap().count(), 1);
        });
    }

    #[test]
    fn an_old_file_counts_and_a_record_beyond_the_limit_has_a_file_of_its_own() {
        within_directory(|directory| {
            let path = directory.join("log");
            fs::write(&path, "old").unwrap();
            let mut file = RotatedFile::open(&path, rotation(4, Some(2), false), None).unwrap();
            write(&mut file, &["too long"]);
            assert_eq!(fs::read_to_string(&path).unwrap(), "too long");
            assert_eq!(fs::read_to_string(directory.join("log.1")).unwrap(), "old");
        });
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn unpacked(file: &Path) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(file).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn what_is_compressed_moves_up_too_and_what_waited_for_that_is_not_lost() {
        within_directory(|directory| {
            let path = directory.join("log");
            let mut file = RotatedFile::open(&path, rotation(4, Some(3), true), None).unwrap();
            write(&mut file, &["aa", "bb", "cc", "dd", "ee", "ff", "gg"]);
            assert!(file.is_congested() && file.waits_on().is_some());
            file.finish().unwrap();
            assert!(!file.is_congested() && file.waits_on().is_none());
            assert_eq!(names(directory), ["log", "log.1.gz", "log.2.gz"]);
            assert_eq!(fs::read_to_string(&path).unwrap(), "gg");
            assert_eq!(
                ["log.1.gz", "log.2.gz"].map(|name| unpacked(&directory.join(name))),
                ["eeff", "ccdd"]
            );
        });
    }

    #[test]
    fn who_must_not_wait_loses_what_there_is_no_room_for_and_that_is_counted() {
        within_directory(|directory| {
            let path = directory.join("log");
            let mut file = RotatedFile::open(&path, rotation(4, Some(9), true), Some(5)).unwrap();
            // aabb is being compressed, ccdd is full, and of the rest five bytes may wait.
            write(&mut file, &["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]);
            assert!(!file.is_congested());
            assert_eq!((file.take_dropped(), file.take_dropped()), (2, 0));
            file.finish().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "eeff");
            assert_eq!(file.take_dropped(), 0);
        });
    }

    #[test]
    fn one_that_a_kill_has_left_uncompressed_moves_up_as_it_is() {
        within_directory(|directory| {
            let path = directory.join("log");
            fs::write(directory.join("log.1"), "left").unwrap();
            fs::write(directory.join("log.2.gz"), "oldest").unwrap();
            let mut file = RotatedFile::open(&path, rotation(4, Some(3), true), None).unwrap();
            write(&mut file, &["aaaa", "bb"]);
            file.finish().unwrap();
            assert_eq!(names(directory), ["log", "log.1.gz", "log.2"]);
            assert_eq!(fs::read_to_string(directory.join("log.2")).unwrap(), "left");
        });
    }
}
