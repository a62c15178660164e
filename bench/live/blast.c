// Puts G.711 RTP on an interface, faster than tcpreplay can: one packet socket, sendmmsg, frames made beforehand.
//   blast INTERFACE PACKETS_PER_S SECONDS STREAMS [TURN]     (PACKETS_PER_S 0: as fast as it goes)
// Each stream sends one packet of 160 bytes per turn; its timestamp advances by what the rate makes of a turn, so that
// every stream is on time.
// Prints {"sent": N, "seconds": S, "errors": E}.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 14 + 20 + 8 + 12 + 160, BATCH = 64 };

struct stream {
  uint32_t source, destination, ssrc, timestamp;
  uint16_t source_port, destination_port, sequence, checksum_base;
};

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

static uint16_t ip_checksum(const uint8_t *header) {
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += (uint32_t)(header[i] << 8 | header[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void make_frame(uint8_t *frame, const struct stream *s) {
  memset(frame, 0, FRAME);
  memcpy(frame, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00", 14);
  uint8_t *ip = frame + 14;
  ip[0] = 0x45;
  ip[1] = 46 << 2;
  put16(ip + 2, FRAME - 14);
  put16(ip + 6, 0x4000);
  ip[8] = 63;
  ip[9] = 17;
  put32(ip + 12, s->source);
  put32(ip + 16, s->destination);
  put16(ip + 10, ip_checksum(ip));
  uint8_t *udp = ip + 20;
  put16(udp, s->source_port);
  put16(udp + 2, s->destination_port);
  put16(udp + 4, FRAME - 34);
  udp[8] = 0x80;
  put16(udp + 10, s->sequence);
  put32(udp + 12, s->timestamp);
  put32(udp + 16, s->ssrc);
  memset(udp + 20, 0xd5, 160);
  // Something of each packet's own, as speech would be: without a UDP checksum the payload tells repeats.
  put32(udp + 20, s->ssrc ^ s->timestamp);
}

int main(int count, char **words) {
  if (count != 5 && count != 6) {
    fprintf(stderr, "blast INTERFACE PACKETS_PER_S SECONDS STREAMS [TURN]\n");
    return 2;
  }
  const double rate = atof(words[2]);
  const double seconds = atof(words[3]);
  const uint32_t streams = (uint32_t)atoi(words[4]);
  const uint32_t turn = count == 6 ? (uint32_t)atoi(words[5]) : 0;
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(words[1])};
  const int on = 1;
  if (fd < 0 || address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror(words[1]);
    return 1;
  }
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  struct stream *all = calloc(streams, sizeof *all);
  for (uint32_t i = 0; i < streams; i++) {
    struct stream *s = &all[i];
    // Streams 2k and 2k+1 are the two directions of one call.
    const uint32_t pair = i / 2;
    const uint32_t caller = 0x0a000001u + pair / 64, callee = 0x0a800001u + pair / 64;
    const uint16_t port = (uint16_t)(16384 + turn % 256 * 128 + pair % 64 * 2);
    s->source = i % 2 ? callee : caller;
    s->destination = i % 2 ? caller : callee;
    s->source_port = s->destination_port = port;
    s->ssrc = 0x5eed0000u + turn * 0x10000u + i;
    s->sequence = (uint16_t)(i * 7);
    s->timestamp = i * 977;
  }
  const double ticks_of_turn = rate > 0 ? 8000.0 * streams / rate : 160;
  static uint8_t frames[BATCH][FRAME];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){frames[i], FRAME};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  uint64_t sent = 0, errors = 0;
  uint32_t next = 0, tick = (uint32_t)ticks_of_turn;
  double turns = 1;
  const uint64_t begin = now_ns();
  const uint64_t end = begin + (uint64_t)(seconds * 1e9);
  for (;;) {
    const uint64_t now = now_ns();
    if (now >= end) break;
    uint64_t due = rate > 0 ? (uint64_t)((double)(now - begin) * rate / 1e9) : sent + BATCH;
    if (due <= sent) {
      const struct timespec pause = {0, 200000};
      nanosleep(&pause, NULL);
      continue;
    }
    while (sent < due) {
      int batch = due - sent < BATCH ? (int)(due - sent) : BATCH;
      for (int i = 0; i < batch; i++) {
        struct stream *s = &all[next];
        make_frame(frames[i], s);
        s->sequence++;
        s->timestamp += tick;
        if (++next < streams) continue;
        // Where a turn is no whole number of ticks, the sum of them is right all the same.
        next = 0;
        tick = (uint32_t)((uint64_t)((turns + 1) * ticks_of_turn) - (uint64_t)(turns * ticks_of_turn));
        turns++;
      }
      for (int done = 0; done < batch;) {
        const int n = sendmmsg(fd, messages + done, (unsigned)(batch - done), 0);
        if (n > 0) {
          done += n;
          continue;
        }
        errors++;
        if (errno != ENOBUFS && errno != EAGAIN) {
          perror("sendmmsg");
          return 1;
        }
      }
      sent += (uint64_t)batch;
    }
  }
  printf("{\"sent\": %llu, \"seconds\": %.3f, \"errors\": %llu}\n", (unsigned long long)sent,
         (double)(now_ns() - begin) / 1e9, (unsigned long long)errors);
  return 0;
}
