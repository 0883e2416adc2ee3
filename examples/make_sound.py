#!/usr/bin/env python3
"""Makes evening.mp3 and evening_voice.mp3 beside this file. Needs espeak-ng and ffmpeg.

The music is four chords of an electric piano with a soft bass and a brushed beat, computed sample
by sample. Everything here and what it makes is CC0.
"""

import array
import math
import pathlib
import random
import subprocess
import tempfile
import wave

RATE = 44100
BEAT = 0.625  # seconds: 96 a minute
CHORDS = [(57, 60, 64, 67), (53, 57, 60, 64), (48, 55, 59, 64), (55, 59, 62, 65)]  # MIDI notes
SECONDS = 16 * BEAT
TEXT = ("Night falls. The glow stays. "
        "Squalane, not silicone. It melts into your skin in thirty seconds. "
        "Night Tide. Order yours today.")


def hertz(note):
    return 440 * 2 ** ((note - 69) / 12)


def add_piano(track, start, note, level):
    """Frequency modulation whose brightness dies away, as a tine does."""
    hz = hertz(note)
    first = int(start * RATE)
    for i in range(int(3 * BEAT * RATE)):
        t = i / RATE
        bright = 1.4 * math.exp(-3 * t)
        value = math.sin(2 * math.pi * hz * t + bright * math.sin(2 * math.pi * 2 * hz * t))
        envelope = min(1, t / 0.004) * math.exp(-1.1 * t) * min(1, (3 * BEAT - t) / 0.05)
        track[(first + i) % len(track)] += level * envelope * value


def add_brush(track, start, level, noise):
    first = int(start * RATE)
    last = 0.0
    for i in range(int(0.12 * RATE)):
        sample = noise.uniform(-1, 1)
        track[(first + i) % len(track)] += level * math.exp(-i / RATE * 45) * (sample - last)
        last = sample


def make_music():
    track = [0.0] * int(SECONDS * RATE)
    noise = random.Random(4)
    for bar, chord in enumerate(CHORDS):
        at = bar * 4 * BEAT
        add_piano(track, at, chord[0] - 12, 0.30)
        for step, note in enumerate(chord):
            add_piano(track, at + step * BEAT / 2, note, 0.16)
            add_piano(track, at + (4.5 + step) * BEAT / 2, note + 12, 0.07)
        for beat in range(4):
            add_brush(track, at + (beat + 0.5) * BEAT, 0.05, noise)
    peak = max(abs(sample) for sample in track)
    return array.array("h", (int(sample / peak * 26000) for sample in track))


def encode(source, target, bitrate):
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-i", str(source), "-b:a", bitrate,
                    "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
                    str(target)], check=True)


def main():
    here = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        music = pathlib.Path(folder) / "music.wav"
        with wave.open(str(music), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(make_music().tobytes())
        encode(music, here / "evening.mp3", "96k")
        voice = pathlib.Path(folder) / "voice.wav"
        subprocess.run(["espeak-ng", "-v", "en-us+f3", "-s", "150", "-g", "3", "-w", str(voice),
                        TEXT], check=True)
        encode(voice, here / "evening_voice.mp3", "64k")


if __name__ == "__main__":
    main()
