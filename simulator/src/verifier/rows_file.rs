//! Accepted rows as files, one JSON object per line.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{BufWriter, Result, Write};
use std::path::{Path, PathBuf};

/// One file per table in a folder, or none.
pub(super) struct RowsFiles {
    folder: Option<PathBuf>,
    files: BTreeMap<String, BufWriter<File>>,
    failed: Option<std::io::Error>,
}

impl RowsFiles {
    pub(super) fn new(folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            create_dir_all(folder)?;
        }
        let folder = folder.map(Path::to_owned);
        Ok(Self { folder, files: BTreeMap::new(), failed: None })
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.folder.is_some()
    }

    /// Appends a row; an error is kept for [`RowsFiles::flush`].
    pub(super) fn append(&mut self, table: &str, row: &str) {
        if let Err(error) = self.try_append(table, row) {
            self.failed.get_or_insert(error);
        }
    }

    fn try_append(&mut self, table: &str, row: &str) -> Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        if !self.files.contains_key(table) {
            let path = folder.join(format!("{table}.ndjson"));
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            self.files.insert(table.to_owned(), BufWriter::new(file));
        }
        let Some(file) = self.files.get_mut(table) else {
            return Ok(());
        };
        // Line breaks occur only between the tokens of JSON, where whitespace is optional.
        for piece in row.split(['\n', '\r']) {
            file.write_all(piece.as_bytes())?;
        }
        file.write_all(b"\n")
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        for file in self.files.values_mut() {
            file.flush()?;
        }
        self.failed.take().map_or(Ok(()), Err)
    }
}
