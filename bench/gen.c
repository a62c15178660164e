/*
 * gen: a big capture of G.711 calls for the benchmarks.
 *
 *   gen PACKETS STREAMS OUT.pcap
 *
 * Classic pcap, Ethernet, IPv4, UDP, RTP with 160 bytes of payload type 0 every 20 ms. In each round of 20 ms every stream
 * sends once, at its own phase and up to 4 ms late; packets are written in the order of their times, as a capture has
 * them. Sequence numbers and timestamps start anywhere, so some wrap. The same arguments give the same bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PAYLOAD = 160,
  RTP_AT = 14 + 20 + 8,
  FRAME = RTP_AT + 12 + PAYLOAD,
  ROUND_US = 20000,
  JITTER_US = 4000,
  RECORD = 16 + FRAME,
};

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* Mixes a counter into 32 well spread bits (the finalizer of splitmix64). */
static uint32_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((value ^ (value >> 31)) >> 16);
}

/* All that never changes in a frame. */
static void lay_out(uint8_t *frame) {
  static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00};
  memcpy(frame, ethernet, sizeof ethernet);
  uint8_t *ip = frame + 14;
  ip[0] = 0x45;
  ip[1] = 46 << 2; /* DSCP EF */
  put16(ip + 2, FRAME - 14);
  ip[6] = 0x40; /* do not fragment */
  ip[8] = 64;
  ip[9] = 17;
  put16(ip + 24, FRAME - 34);
  memset(frame + RTP_AT + 12, 0xff, PAYLOAD); /* mu-law silence */
  frame[RTP_AT] = 0x80;
}

/* What tells stream `k` from the others: neither its addresses nor its ports alone. */
static void address(uint8_t *frame, uint32_t k) {
  uint8_t *ip = frame + 14;
  put32(ip + 12, 0x0a000000u + k / 8);          /* 10.0.0.0 and up: 8 calls a phone */
  put32(ip + 16, 0xac100000u + k / 4096);       /* 172.16.0.0 and up: 4,096 calls a gateway */
  put16(ip + 20, 16384 + (k % 8) * 2);
  put16(ip + 22, 20000 + (k % 4096) * 2);
  put32(frame + RTP_AT + 8, mix(k));
}

static uint32_t first_sequence(uint32_t k) {
  return mix(UINT64_C(1) << 62 | k);
}

static uint32_t first_timestamp(uint32_t k) {
  return mix(UINT64_C(2) << 62 | k);
}

/* When stream `k` sends in a round, in microseconds from its start. Phases end 4 ms early, so rounds do not overlap. */
static uint32_t due(uint32_t k, uint32_t streams, uint64_t round) {
  uint32_t phase = (uint32_t)((uint64_t)k * (ROUND_US - JITTER_US) / streams);
  return phase + mix(round << 32 | k) % JITTER_US;
}

/* The streams in the order in which they send in a round: a counting sort by microsecond. */
static void put_in_order(uint32_t *order, uint32_t streams, uint64_t round) {
  static uint32_t starts[ROUND_US + 1];
  memset(starts, 0, sizeof starts);
  for (uint32_t k = 0; k < streams; k++) starts[due(k, streams, round) + 1]++;
  for (uint32_t us = 0; us < ROUND_US; us++) starts[us + 1] += starts[us];
  for (uint32_t k = 0; k < streams; k++) order[starts[due(k, streams, round)]++] = k;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: gen PACKETS STREAMS OUT.pcap\n");
    return 2;
  }
  uint64_t packets = strtoull(argv[1], NULL, 10);
  uint32_t streams = (uint32_t)strtoul(argv[2], NULL, 10);
  uint32_t *order = calloc(streams > 0 ? streams : 1, sizeof *order);
  FILE *out = streams > 0 && order ? fopen(argv[3], "wb") : NULL;
  if (!out) {
    fprintf(stderr, "gen: %s: %s\n", argv[3], streams > 0 ? strerror(errno) : "no streams asked for");
    return 1;
  }
  setvbuf(out, NULL, _IOFBF, 1 << 20);
  const uint32_t file_header[6] = {0xa1b2c3d4u, 2 | 4 << 16, 0, 0, 65535, 1};
  fwrite(file_header, sizeof file_header, 1, out);

  uint8_t record[RECORD] = {0};
  uint8_t *frame = record + 16;
  lay_out(frame);
  const uint64_t begin_us = UINT64_C(1750000000) * 1000000;
  for (uint64_t i = 0; i < packets; i++) {
    uint64_t round = i / streams;
    if (i % streams == 0) put_in_order(order, streams, round);
    uint32_t k = order[i % streams];
    uint64_t us = begin_us + round * ROUND_US + due(k, streams, round);
    uint32_t head[4] = {(uint32_t)(us / 1000000), (uint32_t)(us % 1000000), FRAME, FRAME};
    memcpy(record, head, sizeof head);
    address(frame, k);
    frame[RTP_AT + 1] = round == 0 ? 0x80 : 0; /* marker: start of a talkspurt */
    put16(frame + RTP_AT + 2, first_sequence(k) + (uint32_t)round);
    put32(frame + RTP_AT + 4, first_timestamp(k) + (uint32_t)round * PAYLOAD);
    fwrite(record, sizeof record, 1, out);
  }
  if (fclose(out) != 0) {
    fprintf(stderr, "gen: %s: %s\n", argv[3], strerror(errno));
    return 1;
  }
  return 0;
}
