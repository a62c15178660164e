#!/usr/bin/env python3
"""Writes one second or more of a 440 Hz tone: raw G.711 for sipp's rtp_stream, or a WAV for baresip's aufile.

usage: tone.py ulaw|alaw SECONDS OUT              raw: 8 kHz, one byte a sample
       tone.py wav:RATE:CHANNELS SECONDS OUT      16 bit
"""

import math
import struct
import sys
import wave


def ulaw(sample):
    """ITU-T G.711 mu-law of a 16-bit sample."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def alaw(sample):
    """ITU-T G.711 A-law of a 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(abs(sample), 32767) >> 4 << 4
    exponent = max(magnitude.bit_length() - 8, 0)
    mantissa = (magnitude >> (exponent + 3 if exponent else 4)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def tone(rate, seconds):
    return [int(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(rate * seconds))]


def main():
    kind, seconds, out = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    if kind.startswith("wav:"):
        rate, channels = (int(part) for part in kind.split(":")[1:])
        with wave.open(out, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(b"".join(struct.pack("<h", s) * channels for s in tone(rate, seconds)))
        return
    encode = {"ulaw": ulaw, "alaw": alaw}[kind]
    with open(out, "wb") as file:
        file.write(bytes(encode(s) for s in tone(8000, seconds)))


main()
