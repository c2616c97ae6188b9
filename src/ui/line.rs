//! A typed line, shown or hidden, read key by key: Esc goes back, Ctrl-U clears. Long lines
//! scroll within one row.

use std::io;

use console::{Key, Term, measure_text_width};
use secrecy::zeroize::Zeroizing;

use super::interrupt;

/// Ends the program at once.
const CTRL_BACKSLASH: char = '\u{1c}';

/// What was typed.
pub enum Typed {
    Line(Zeroizing<String>),
    /// Esc.
    Back,
}

/// Reads a line after `prompt`, which is on the last row. `room`: the columns left there;
/// `None` if a line cannot be redrawn. A `hidden` line shows nothing. The line starts as
/// `begin`.
pub fn read(term: &Term, prompt: &str, room: Option<usize>, hidden: bool, begin: &str) -> io::Result<Typed> {
    let _quiet = Quiet::begin();
    term.write_str(prompt)?;
    let mut line = Line { text: Zeroizing::new(begin.to_owned()), at: begin.len() };
    if !begin.is_empty() {
        line.draw(term, prompt, room)?;
    }
    loop {
        // Every key comes here, Ctrl-C too: a signal would leave the terminal half changed.
        let key = term.read_key_raw()?;
        match key {
            Key::CtrlC => {
                // What was typed, a secret in the wrong place perhaps, does not stay.
                if room.is_some() {
                    term.clear_line()?;
                }
                interrupt::ask_to_stop();
                return Err(io::ErrorKind::Interrupted.into());
            }
            Key::Char(CTRL_BACKSLASH) => interrupt::quit(),
            _ => {}
        }
        match line.press(&key) {
            Pressed::Edited if !hidden => match room {
                Some(_) => line.draw(term, prompt, room)?,
                None => term.write_str(line.last())?,
            },
            Pressed::Edited => {}
            // A paste may begin with the previous line's end.
            Pressed::Enter if hidden && line.text.trim().is_empty() && more_is_waiting() => {}
            Pressed::Enter => return Ok(Typed::Line(line.text)),
            Pressed::Back => return Ok(Typed::Back),
        }
    }
}

/// The result of a key.
enum Pressed {
    Edited,
    Enter,
    Back,
}

#[derive(Default)]
struct Line {
    text: Zeroizing<String>,
    /// The cursor's position in bytes.
    at: usize,
}

impl Line {
    fn press(&mut self, key: &Key) -> Pressed {
        match *key {
            Key::Enter => return Pressed::Enter,
            Key::Escape => return Pressed::Back,
            // Ctrl-U; it clears the whole line, so that a wrong paste goes at once.
            Key::Char('\u{15}') => {
                self.text.clear();
                self.at = 0;
            }
            Key::Char('\u{17}') => {
                let before = self.text[..self.at].trim_end();
                let from = before.rfind(' ').map_or(0, |space| space + 1);
                self.text.replace_range(from..self.at, "");
                self.at = from;
            }
            Key::Char('\u{1}') | Key::Home => self.at = 0,
            Key::Char('\u{5}') | Key::End => self.at = self.text.len(),
            Key::ArrowLeft => self.at -= self.before(),
            Key::ArrowRight => self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8),
            Key::Backspace => {
                let from = self.at - self.before();
                self.text.replace_range(from..self.at, "");
                self.at = from;
            }
            Key::Del if self.at < self.text.len() => drop(self.text.remove(self.at)),
            Key::Tab => self.insert(' '),
            Key::Char(character) if !character.is_control() => self.insert(character),
            _ => {}
        }
        Pressed::Edited
    }

    fn draw(&self, term: &Term, prompt: &str, room: Option<usize>) -> io::Result<()> {
        term.clear_line()?;
        let (text, behind) = self.window(room.unwrap_or(usize::MAX));
        term.write_str(&format!("{prompt}{text}"))?;
        term.move_cursor_left(behind)
    }

    fn insert(&mut self, character: char) {
        // Room for any token: a buffer that grows leaves copies behind.
        if self.text.capacity() == 0 {
            self.text.reserve(4096);
        }
        self.text.insert(self.at, character);
        self.at += character.len_utf8();
    }

    /// The length of the character before the cursor.
    fn before(&self) -> usize {
        self.text[..self.at].chars().next_back().map_or(0, char::len_utf8)
    }

    /// The part around the cursor that fits into `room` columns, and the columns after the
    /// cursor.
    fn window(&self, room: usize) -> (&str, usize) {
        let room = room.max(8) - 1;
        let mut from = 0;
        while measure_text_width(&self.text[from..self.at]) > room {
            from += self.text[from..].chars().next().map_or(1, char::len_utf8);
        }
        let mut to = self.text.len();
        while measure_text_width(&self.text[from..to]) > room {
            to -= self.text[..to].chars().next_back().map_or(1, char::len_utf8);
        }
        (&self.text[from..to], measure_text_width(&self.text[self.at.min(to)..to]))
    }

    /// The character that was typed last.
    fn last(&self) -> &str {
        &self.text[self.at - self.before()..self.at]
    }
}

/// While it lives the terminal does not echo, even between two keys.
pub(super) struct Quiet(());

impl Quiet {
    pub(super) fn begin() -> Self {
        interrupt::install();
        #[cfg(unix)]
        {
            use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
            if let Ok(mut modes) = tcgetattr(io::stdin()) {
                modes.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ISIG;
                // The next read notices a terminal that is gone.
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
            }
        }
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        interrupt::give_terminal_back();
    }
}

/// Whether more input is waiting, as during a paste.
#[cfg(unix)]
pub(super) fn more_is_waiting() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    const A_MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
    let stdin = io::stdin();
    poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&A_MOMENT)).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
pub(super) fn more_is_waiting() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[Key]) -> Line {
        let mut line = Line::default();
        for key in keys {
            line.press(key);
        }
        line
    }

    fn text(text: &str) -> Vec<Key> {
        text.chars().map(Key::Char).collect()
    }

    #[test]
    fn keys_edit_the_line() {
        let with = |keys: &[Key]| typed(&[text("grüße an"), keys.to_vec()].concat()).text.to_string();
        assert_eq!(with(&[Key::Backspace]), "grüße a");
        assert_eq!(with(&[Key::Char('\u{17}'), Key::Char('!')]), "grüße !");
        assert_eq!(with(&[Key::Char('\u{15}'), Key::Char('x')]), "x");
        assert_eq!(with(&[Key::Home, Key::ArrowRight, Key::ArrowRight, Key::Del, Key::Char('u')]), "gruße an");
        assert_eq!(with(&[Key::Char('\u{1}'), Key::ArrowLeft, Key::Backspace, Key::Char('>')]), ">grüße an");
        assert_eq!(with(&[Key::Char('\u{7}'), Key::End, Key::Del]), "grüße an");
        assert!(matches!(Line::default().press(&Key::Escape), Pressed::Back));
    }

    #[test]
    fn a_long_line_shows_the_part_around_the_cursor() {
        let mut line = typed(&text("日本サポート-0123456789"));
        assert_eq!(line.window(12), ("-0123456789", 0));
        line.press(&Key::Home);
        assert_eq!(line.window(12), ("日本サポー", 10));
        assert_eq!(typed(&text("short")).window(40), ("short", 0));
    }
}
