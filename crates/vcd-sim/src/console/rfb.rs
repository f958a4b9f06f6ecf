//! RFB 3.8 (RFC 6143) as a server speaks it: bytes in, bytes out.
//!
//! Not here: security other than none, encodings other than raw, pixels other than of 32 bits, pointers and clipboards
//! (read, and left alone).

use font8x8::legacy::BASIC_LEGACY;

use super::terminal::{COLUMNS, ROWS, Terminal};

/// A glyph is 8×8; each of its lines is drawn twice.
const CELL: (usize, usize) = (8, 16);
const WIDTH: usize = COLUMNS * CELL.0;
const HEIGHT: usize = ROWS * CELL.1;
/// Nobody pastes more.
const MESSAGE_MAX: usize = 64 * 1024;

const INK: [u8; 3] = [0xd0, 0xd4, 0xd8];
const PAPER: [u8; 3] = [0x10, 0x14, 0x18];

enum Stage {
    Version,
    Security,
    Init,
    Open,
}

/// What the peer sent cannot be understood: the connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

pub(super) struct Rfb {
    stage: Stage,
    received: Vec<u8>,
    /// How far red, green and blue are shifted in a pixel, and whether it is sent with its high byte first.
    shifts: [u8; 3],
    big_endian: bool,
    /// The rows that the peer has, as text.
    shown: Vec<String>,
    /// It has asked for what changes.
    asked: bool,
}

impl Rfb {
    /// A connection, and what is said first.
    pub(super) fn new() -> (Self, Vec<u8>) {
        let rfb = Self {
            stage: Stage::Version,
            received: Vec::new(),
            shifts: [16, 8, 0],
            big_endian: false,
            shown: Vec::new(),
            asked: false,
        };
        (rfb, b"RFB 003.008\n".to_vec())
    }

    /// Takes what came; keys go to the terminal. What it returns is to be sent.
    pub(super) fn receive(&mut self, bytes: &[u8], terminal: &mut Terminal) -> Result<Vec<u8>, Broken> {
        self.received.extend_from_slice(bytes);
        if self.received.len() > MESSAGE_MAX {
            return Err(Broken);
        }
        let mut out = Vec::new();
        while let Some(taken) = self.message(terminal, &mut out)? {
            self.received.drain(..taken);
        }
        out.extend(self.update(terminal));
        Ok(out)
    }

    /// What has changed on the screen, if it was asked for.
    pub(super) fn update(&mut self, terminal: &Terminal) -> Vec<u8> {
        if !self.asked {
            return Vec::new();
        }
        let mut rows = terminal.rows();
        rows.resize(ROWS, String::new());
        let stale: Vec<usize> = (0..ROWS).filter(|i| self.shown.get(*i) != rows.get(*i)).collect();
        if stale.is_empty() {
            return Vec::new();
        }
        let mut out = vec![0, 0];
        out.extend((stale.len() as u16).to_be_bytes());
        for i in stale {
            let (x, y) = (0, i * CELL.1);
            for n in [x, y, WIDTH, CELL.1] {
                out.extend((n as u16).to_be_bytes());
            }
            out.extend(0_i32.to_be_bytes());
            self.draw(&rows[i], &mut out);
        }
        self.shown = rows;
        self.asked = false;
        out
    }

    fn draw(&self, row: &str, out: &mut Vec<u8>) {
        let glyphs: Vec<[u8; 8]> = row
            .chars()
            .map(|c| BASIC_LEGACY.get(c as usize).copied().unwrap_or(BASIC_LEGACY['?' as usize]))
            .chain(std::iter::repeat([0; 8]))
            .take(COLUMNS)
            .collect();
        let (ink, paper) = (self.pixel(INK), self.pixel(PAPER));
        for line in 0..CELL.1 {
            for glyph in &glyphs {
                let bits = glyph[line / 2];
                for x in 0..CELL.0 {
                    out.extend(if bits >> x & 1 == 1 { ink } else { paper });
                }
            }
        }
    }

    fn pixel(&self, colour: [u8; 3]) -> [u8; 4] {
        let value = colour.iter().zip(self.shifts).fold(0, |v, (c, shift)| v | u32::from(*c) << shift);
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// Takes one message from what was received. Returns its length, or nothing while it is not whole.
    fn message(&mut self, terminal: &mut Terminal, out: &mut Vec<u8>) -> Result<Option<usize>, Broken> {
        let bytes = &self.received;
        let whole = |length: usize| (bytes.len() >= length).then_some(length);
        let Some(first) = bytes.first().copied() else { return Ok(None) };
        match self.stage {
            Stage::Version => {
                let Some(length) = whole(12) else { return Ok(None) };
                if !bytes.starts_with(b"RFB 003.") {
                    return Err(Broken);
                }
                out.extend([1, 1]);
                self.stage = Stage::Security;
                Ok(Some(length))
            }
            Stage::Security => {
                if first != 1 {
                    return Err(Broken);
                }
                out.extend(0_u32.to_be_bytes());
                self.stage = Stage::Init;
                Ok(Some(1))
            }
            Stage::Init => {
                out.extend((WIDTH as u16).to_be_bytes());
                out.extend((HEIGHT as u16).to_be_bytes());
                // 32 bits a pixel of which 24 count, little-endian, true colour.
                out.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
                let name = b"console";
                out.extend((name.len() as u32).to_be_bytes());
                out.extend(name);
                self.stage = Stage::Open;
                Ok(Some(1))
            }
            Stage::Open => self.request(first, terminal),
        }
    }

    fn request(&mut self, kind: u8, terminal: &mut Terminal) -> Result<Option<usize>, Broken> {
        let bytes = &self.received;
        let number = |at: usize| {
            let four: Option<[u8; 4]> = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
            four.map(u32::from_be_bytes)
        };
        let two = |at: usize| bytes.get(at..at + 2).map(|b| usize::from(b[0]) << 8 | usize::from(b[1]));
        let length = match kind {
            0 => Some(20),
            2 => two(2).map(|n| 4 + 4 * n),
            3 => Some(10),
            4 => Some(8),
            5 => Some(6),
            6 => number(4).map(|n| 8_usize.saturating_add(n as usize)),
            _ => return Err(Broken),
        };
        if length.is_some_and(|n| n > MESSAGE_MAX) {
            return Err(Broken);
        }
        let Some(length) = length.filter(|n| bytes.len() >= *n) else { return Ok(None) };
        match kind {
            0 => {
                if bytes[4] != 32 || bytes[7] == 0 {
                    return Err(Broken);
                }
                let shifts = [bytes[14], bytes[15], bytes[16]];
                if shifts.iter().any(|s| *s > 24) {
                    return Err(Broken);
                }
                self.big_endian = bytes[6] != 0;
                self.shifts = shifts;
                self.shown.clear();
            }
            3 => {
                if bytes[1] == 0 {
                    self.shown.clear();
                }
                self.asked = true;
            }
            4 => {
                let (down, keysym) = (bytes[1] != 0, number(4).unwrap_or_default());
                terminal.key(keysym, down);
            }
            _ => {}
        }
        Ok(Some(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Rfb, Terminal) {
        let mut terminal = Terminal::new("web-01", "AlmaLinux 9");
        let (mut rfb, hello) = Rfb::new();
        assert_eq!(hello, b"RFB 003.008\n");
        // Byte by byte: frames of a socket are no messages.
        let mut said = Vec::new();
        for byte in b"RFB 003.008\n\x01\x01" {
            said.extend(rfb.receive(&[*byte], &mut terminal).unwrap());
        }
        assert_eq!(&said[..6], [1, 1, 0, 0, 0, 0]);
        assert_eq!(&said[6..10], [2, 128, 1, 144], "640×400");
        (rfb, terminal)
    }

    const ALL: [u8; 10] = [3, 0, 0, 0, 0, 0, 2, 128, 1, 144];
    const CHANGED: [u8; 10] = [3, 1, 0, 0, 0, 0, 2, 128, 1, 144];

    #[test]
    fn the_whole_screen_first_then_what_changes() {
        let (mut rfb, mut terminal) = open();
        let all = rfb.receive(&ALL, &mut terminal).unwrap();
        assert_eq!(&all[..4], [0, 0, 0, ROWS as u8]);
        assert_eq!(all.len(), 4 + ROWS * (12 + WIDTH * CELL.1 * 4));
        assert!(rfb.receive(&CHANGED, &mut terminal).unwrap().is_empty(), "nothing has changed");
        // A key changes one row.
        let one = rfb.receive(&[4, 1, 0, 0, 0, 0, 0, b'r'], &mut terminal).unwrap();
        assert_eq!(&one[..4], [0, 0, 0, 1]);
        let ink: [u8; 4] = [INK[2], INK[1], INK[0], 0];
        assert!(one[16..].chunks(4).any(|p| p == ink), "something is drawn");
        // Nothing more is sent until it is asked for.
        assert!(rfb.receive(&[4, 1, 0, 0, 0, 0, 0, b'o'], &mut terminal).unwrap().is_empty());
    }

    #[test]
    fn pixels_as_the_peer_wants_them() {
        let (mut rfb, mut terminal) = open();
        let format = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0];
        rfb.receive(&format, &mut terminal).unwrap();
        let all = rfb.receive(&ALL, &mut terminal).unwrap();
        assert_eq!(&all[16..20], [PAPER[0], PAPER[1], PAPER[2], 0]);
    }

    #[test]
    fn what_nobody_can_read_ends_it() {
        for bad in [&[9_u8, 0, 0, 0][..], &[6, 0, 0, 0, 255, 255, 255, 255], &[0; 20]] {
            let (mut rfb, mut terminal) = open();
            assert_eq!(rfb.receive(bad, &mut terminal), Err(Broken), "{bad:?}");
        }
        let (mut rfb, _) = Rfb::new();
        assert_eq!(rfb.receive(b"GET / HTTP/1", &mut Terminal::new("a", "b")), Err(Broken));
    }
}
