//! A wrong wall clock for one process: a small library in C that is compiled here and loaded before the process's own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use testkit::server::{Folder, run};

use crate::load::desk::Environment;

const SOURCE: &str = include_str!("clock_shim.c");

/// The compiled library; its folder goes when it is dropped, after the processes that loaded it.
#[derive(Debug)]
pub(super) struct ClockShim {
    library: PathBuf,
    _folder: Folder,
}

impl ClockShim {
    /// Compiles the library with `cc`.
    ///
    /// # Errors
    /// When there is no C compiler, or it refuses; its own words are in the error.
    pub(super) fn compile() -> Result<Self> {
        let folder = Folder::new("clock")?;
        let source = folder.write("clock_shim.c", SOURCE)?;
        let library = folder.join("clock_shim.so");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
        run(command.arg("-ldl")).context("compiling the library that moves a process's clock")?;
        Ok(Self { library, _folder: folder })
    }

    /// What a process's environment needs for a clock that is wrong by this many milliseconds; negative: behind.
    pub(super) fn off_by(&self, offset_ms: i64) -> Environment {
        vec![
            ("LD_PRELOAD".to_owned(), self.library.clone().into_os_string()),
            ("CLOCK_OFFSET_MS".to_owned(), offset_ms.to_string().into()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::ClockShim;
    use std::process::Command;

    /// What `date` believes to be the time, in milliseconds since 1970.
    fn told(shim: &ClockShim, offset_ms: i64) -> i64 {
        let mut date = Command::new("date");
        date.arg("+%s%3N").envs(shim.off_by(offset_ms));
        testkit::server::run(&mut date).expect("date runs").trim().parse().expect("a number")
    }

    #[test]
    fn a_process_believes_the_wrong_clock() {
        let shim = ClockShim::compile().expect("the library compiles");
        for offset_ms in [-60_000, 0, 1_500] {
            let before = told(&shim, 0);
            let found = told(&shim, offset_ms);
            let after = told(&shim, 0);
            assert!((before..=after).contains(&(found - offset_ms)), "{offset_ms}: {before} {found} {after}");
        }
    }
}
