//! A writer of protobuf messages.

/// Builds one message, field after field.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn number(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn tag(self, number: u32, wire: u64) -> Self {
        self.number(u64::from(number) << 3 | wire)
    }

    pub(crate) fn varint(self, number: u32, value: u64) -> Self {
        self.tag(number, 0).number(value)
    }

    pub(crate) fn bytes(self, number: u32, bytes: &[u8]) -> Self {
        let mut writer = self.tag(number, 2).number(bytes.len() as u64);
        writer.0.extend_from_slice(bytes);
        writer
    }

    pub(crate) fn message(self, number: u32, message: Self) -> Self {
        self.bytes(number, &message.0)
    }

    /// Returns a field as it was read, its number included.
    pub(crate) fn field(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    #[cfg(test)]
    pub(crate) fn float(self, number: u32, value: f32) -> Self {
        let mut writer = self.tag(number, 5);
        writer.0.extend(value.to_le_bytes());
        writer
    }

    #[cfg(test)]
    pub(crate) fn floats(self, number: u32, values: &[f32]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(number, &packed)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}
