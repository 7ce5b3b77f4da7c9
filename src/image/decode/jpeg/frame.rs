//! The description of its picture that a JPEG file gives before the data.

/// The picture's size and colours, and what of them has come.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) is_progressive: bool,
    pub(super) components: Vec<Component>,
}

/// One of the colours.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of one unit, across and down.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Blocks to the row, with those that fill up the last unit.
    pub(super) stride: usize,
    /// Each block's coefficients that are not zero, of a picture that comes in several passes.
    pub(super) nonzero: Vec<u64>,
    /// Bits of each coefficient that are still to come; `None` before its first pass.
    pub(super) missing_bits: [Option<u8>; 64],
}

impl Frame {
    /// Returns the pixels across and down of a unit: of the blocks of all colours that lie together.
    pub(super) fn unit(&self) -> (usize, usize) {
        let most = |side: fn(&Component) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        (8 * most(|component| component.across), 8 * most(|component| component.down))
    }

    /// Units across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        let (across, down) = self.unit();
        (self.width.div_ceil(across), self.height.div_ceil(down))
    }

    /// Reads the head of a frame, if it is of a kind that the decoder takes.
    pub(super) fn of(marker: u8, segment: &[u8], max_pixels: u64) -> Option<Self> {
        let [8, h0, h1, w0, w1, count, list @ ..] = segment else { return None };
        let (height, width) = (u16::from_be_bytes([*h0, *h1]), u16::from_be_bytes([*w0, *w1]));
        let pixels = u64::from(width) * u64::from(height);
        let list = list.get(..3 * usize::from(*count))?;
        let are_known =
            list.chunks_exact(3).all(|of| (1..=4).contains(&(of[1] >> 4)) && (1..=4).contains(&(of[1] & 15)));
        if !(1..=4).contains(count) || !are_known || pixels == 0 || pixels > max_pixels {
            return None;
        }
        let component = |of: &[u8]| Component {
            id: of[0],
            across: usize::from(of[1] >> 4),
            down: usize::from(of[1] & 15),
            stride: 0,
            nonzero: Vec::new(),
            missing_bits: [None; 64],
        };
        let components = list.chunks_exact(3).map(component).collect();
        let mut frame = Self { width: width.into(), height: height.into(), is_progressive: marker == 0xc2, components };
        let (across, down) = frame.units();
        for component in &mut frame.components {
            component.stride = across * component.across;
            if frame.is_progressive {
                // A 64th of the pixels, which are within the limits.
                component.nonzero = vec![0; component.stride * down * component.down];
            }
        }
        Some(frame)
    }

    /// Returns true once each colour has come, down to the last bit of its coefficients.
    pub(super) fn is_complete(&self) -> bool {
        let has_detail = |component: &Component| component.missing_bits[1..].iter().all(Option::is_some);
        self.components.iter().all(|component| component.missing_bits[0].is_some())
            // Encoders may leave away details of colours, but hardly those of lightness.
            && (!self.is_progressive || self.components.first().is_none_or(has_detail))
            && self.components.iter().flat_map(|component| component.missing_bits).flatten().all(|bits| bits == 0)
    }
}
