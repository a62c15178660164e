/*
 * floor: the least that any program must do for each RTP packet of a capture, in C; what callprobe is compared with.
 *
 *   floor FILE.pcap         prints one line of JSON: packets, streams, seconds, and sums that prove the work was done
 *
 * For each packet: read the record, check Ethernet, IPv4, UDP and RTP, find the stream in a hash table by addresses,
 * ports and SSRC, follow its sequence number, update the jitter of RFC 3550 A.8, count one bucket of a histogram.
 * No SIP, no second look at anything, no output. The clock starts when the file is in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { BUCKETS = 64, CLOCK_KHZ = 8, MAX_JUMP = 3000 };

struct key {
  uint32_t source, destination, ports, ssrc;
};

struct stream {
  struct key key;
  uint32_t taken, highest, received, base; /* highest: extended sequence */
  double jitter, transit;
  uint32_t histogram[BUCKETS];
};

struct table {
  struct stream *slots;
  uint32_t mask, used;
};

static uint16_t get16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}

static uint32_t hash(const struct key *key) {
  uint64_t a = ((uint64_t)key->source << 32 | key->ports) * 0x9e3779b97f4a7c15u;
  uint64_t b = ((uint64_t)key->destination << 32 | key->ssrc) * 0xc2b2ae3d27d4eb4fu;
  uint64_t both = a ^ (b << 31 | b >> 33);
  return (uint32_t)(both >> 32) ^ (uint32_t)(both >> 7);
}

/* The stream of a key, made when it is new. The table is sized for all streams at once: it never grows. */
static struct stream *find(struct table *table, const struct key *key, uint16_t sequence) {
  uint32_t at = hash(key) & table->mask;
  for (;; at = (at + 1) & table->mask) {
    struct stream *stream = &table->slots[at];
    if (!stream->taken) {
      stream->key = *key;
      stream->taken = 1;
      stream->highest = stream->base = 0x10000u + sequence;
      table->used++;
      return stream;
    }
    if (memcmp(&stream->key, key, sizeof *key) == 0) return stream;
  }
}

static void measure(struct stream *stream, uint16_t sequence, uint32_t timestamp, double arrival_ms) {
  uint16_t ahead = (uint16_t)(sequence - (uint16_t)stream->highest);
  if (ahead < MAX_JUMP) stream->highest += ahead;
  double transit = arrival_ms - (double)timestamp / CLOCK_KHZ;
  if (stream->received++ > 0) {
    double change = transit - stream->transit;
    if (change < 0) change = -change;
    stream->jitter += (change - stream->jitter) / 16;
    uint32_t bucket = (uint32_t)change;
    stream->histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  }
  stream->transit = transit;
}

/* One frame; 0 when it is no RTP over UDP over IPv4 over Ethernet. */
static int frame(struct table *table, const uint8_t *at, uint32_t length, double arrival_ms) {
  if (length < 14 + 20 + 8 + 12 || get16(at + 12) != 0x0800) return 0;
  const uint8_t *ip = at + 14;
  uint32_t ip_header = (uint32_t)(ip[0] & 15) * 4;
  if (ip[0] >> 4 != 4 || ip[9] != 17 || length < 14 + ip_header + 8 + 12) return 0;
  const uint8_t *udp = ip + ip_header, *rtp = udp + 8;
  if (rtp[0] >> 6 != 2) return 0;
  struct key key = {get32(ip + 12), get32(ip + 16), get32(udp), get32(rtp + 8)};
  uint16_t sequence = get16(rtp + 2);
  measure(find(table, &key, sequence), sequence, get32(rtp + 4), arrival_ms);
  return 1;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t walk(struct table *table, const uint8_t *file, size_t size) {
  uint64_t packets = 0;
  for (size_t at = 24; at + 16 <= size;) {
    uint32_t head[4];
    memcpy(head, file + at, sizeof head);
    at += 16;
    if (head[2] > size - at) break;
    packets += (uint64_t)frame(table, file + at, head[2], head[0] * 1000.0 + head[1] / 1000.0);
    at += head[2];
  }
  return packets;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: floor FILE.pcap\n");
    return 2;
  }
  int fd = open(argv[1], O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    fprintf(stderr, "floor: %s: %s\n", argv[1], strerror(errno));
    return 1;
  }
  size_t size = (size_t)status.st_size;
  const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  struct table table = {calloc(1u << 19, sizeof(struct stream)), (1u << 19) - 1, 0};
  if (file == MAP_FAILED || !table.slots) {
    fprintf(stderr, "floor: out of memory\n");
    return 1;
  }
  double begin = seconds();
  uint64_t packets = walk(&table, file, size);
  double took = seconds() - begin;

  double jitter = 0;
  uint64_t lost = 0;
  for (uint32_t i = 0; i <= table.mask; i++) {
    const struct stream *stream = &table.slots[i];
    if (!stream->taken) continue;
    jitter += stream->jitter;
    lost += stream->highest - stream->base + 1 - stream->received;
  }
  printf("{\"packets\":%" PRIu64 ",\"streams\":%u,\"seconds\":%.6f,\"jitter_ms\":%.4f,\"lost\":%" PRIu64 "}\n", packets,
         table.used, took, table.used > 0 ? jitter / table.used : 0, lost);
  return 0;
}
