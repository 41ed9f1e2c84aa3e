//! The corpus, and changes of it that a linear congruence chooses: the same ones in every run.

use std::path::Path;

use super::TARGETS;

const CHANGES: usize = 2_000;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    /// One byte changed, a part cut out, doubled or put in from elsewhere.
    fn changed(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len() + 1);
            let end = (at + self.roll(8)).min(bytes.len());
            let from = self.roll(other.len() + 1);
            match self.roll(4) {
                0 if at < bytes.len() => bytes[at] = self.roll(256) as u8,
                1 => drop(bytes.drain(at..end)),
                2 => bytes.splice(at..at, other[from..].iter().take(12).copied()).for_each(drop),
                _ => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part).for_each(drop);
                }
            }
        }
        bytes
    }
}

#[test]
fn every_target_holds_on_its_corpus_and_on_changes_of_it() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert!(!seeds.is_empty(), "{name} has a corpus");
        let mut dice = Dice(7);
        for seed in &seeds {
            target(seed);
            for _ in 0..CHANGES {
                let other = dice.roll(seeds.len());
                target(&dice.changed(seed, &seeds[other]));
            }
        }
    }
}
