//! The best few of many.

/// The `k` largest values that were offered, in falling order; of equals the one that was offered first.
pub(super) struct Best {
    k: usize,
    items: Vec<(u32, f32)>,
    /// What a value must exceed to be among them.
    least: f32,
}

impl Best {
    /// Of nothing yet.
    pub fn new(k: usize) -> Best {
        let least = if k == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Best { k, items: Vec::with_capacity(k), least }
    }

    /// Whether a finite value would be among the best.
    pub fn would_take(&self, value: f32) -> bool {
        value > self.least
    }

    /// Takes a value if it is among the best.
    pub fn offer(&mut self, number: u32, value: f32) {
        if !self.would_take(value) {
            return;
        }
        self.items.truncate(self.k - 1);
        let at = self.items.partition_point(|&(_, other)| other >= value);
        self.items.insert(at, (number, value));
        if self.items.len() == self.k {
            self.least = self.items[self.k - 1].1;
        }
    }

    /// The best.
    pub fn into_items(self) -> Vec<(u32, f32)> {
        self.items
    }
}
