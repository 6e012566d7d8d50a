//! The best few of many.

/// The `k` largest values that were offered, in falling order; of equals the one that was offered first.
pub(super) struct Best {
    k: usize,
    items: Vec<(u32, f32)>,
}

impl Best {
    /// Of nothing yet.
    pub fn new(k: usize) -> Best {
        Best { k, items: Vec::with_capacity(k) }
    }

    /// Whether a value would be among the best.
    pub fn would_take(&self, value: f32) -> bool {
        match self.items.last() {
            Some(&(_, least)) if self.items.len() == self.k => value > least,
            _ => self.k > 0,
        }
    }

    /// Takes a value that is among the best.
    pub fn offer(&mut self, number: u32, value: f32) {
        if self.would_take(value) {
            self.items.truncate(self.k - 1);
            let at = self.items.partition_point(|&(_, other)| other >= value);
            self.items.insert(at, (number, value));
        }
    }

    /// The best.
    pub fn into_items(self) -> Vec<(u32, f32)> {
        self.items
    }
}
