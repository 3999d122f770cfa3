//! A log file that starts anew before it grows past its limit: `log`, `log.1`, `log.2` …, as Docker numbers them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ramekin_sys::{Context, Result};

#[derive(Debug)]
pub struct RotatedFile {
    path: PathBuf,
    file: File,
    size: u64,
    max_bytes: Option<u64>,
    /// This one included.
    max_files: u32,
    /// Where, in the batch that is being put together, records begin.
    records: Vec<usize>,
}

impl RotatedFile {
    pub fn open(path: &Path, max_bytes: Option<u64>, max_files: Option<u32>) -> Result<Self> {
        let file = create(path).context(|| format!("log {}", path.display()))?;
        let size = file
            .metadata()
            .context(|| format!("log {}", path.display()))?
            .len();
        Ok(RotatedFile {
            path: path.into(),
            file,
            size,
            max_bytes,
            max_files: max_files.unwrap_or(1).max(1),
            records: Vec::new(),
        })
    }

    /// A record begins at `start` of the batch.
    pub fn note_record(&mut self, start: usize) {
        if self.max_bytes.is_some() {
            self.records.push(start);
        }
    }

    /// Appends the batch in as few writes as rotation allows: a record is never torn.
    pub fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let mut starts = std::mem::take(&mut self.records);
        starts.push(batch.len());
        let mut written = 0;
        if let Some(limit) = self.max_bytes {
            for record in starts.windows(2) {
                let pending = (record[0] - written) as u64;
                let length = (record[1] - record[0]) as u64;
                if self.size + pending > 0 && self.size + pending + length > limit {
                    self.append(&batch[written..record[0]])?;
                    written = record[0];
                    self.rotate()?;
                }
            }
        }
        self.append(&batch[written..])
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.max_files).rev() {
            match fs::rename(self.numbered(number - 1), self.numbered(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.max_files == 1 {
            self.file.set_len(0)?;
        } else {
            self.file = create(&self.path)?;
        }
        self.size = 0;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            _ => PathBuf::from(format!("{}.{number}", self.path.display())),
        }
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

    fn write(file: &mut RotatedFile, records: &[&str]) {
        let mut batch = Vec::new();
        for record in records {
            file.note_record(batch.len());
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
            let mut file = RotatedFile::open(&path, Some(4), Some(3)).unwrap();
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
            let mut file = RotatedFile::open(&path, Some(4), None).unwrap();
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
            let mut file = RotatedFile::open(&path, Some(4), Some(2)).unwrap();
            write(&mut file, &["too long"]);
            assert_eq!(fs::read_to_string(&path).unwrap(), "too long");
            assert_eq!(fs::read_to_string(directory.join("log.1")).unwrap(), "old");
        });
    }
}
