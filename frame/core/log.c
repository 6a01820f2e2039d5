/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel log: a ring that any context writes and reads, NMIs and a dying machine included; nobody ever waits.
 *
 *	log_head	sequence number and place (in 8-byte units) of the next record, in one word: reserved by compare-and-swap
 *	ring		records: a head and the text, wrapping at the end
 *	slots		by sequence number: (sequence + 1) and place of a finished record, stored last, with release
 *
 * A record is readable when its slot says so and log_head has not gone a whole ring beyond it. A reader copies first and tests the latter
 * again afterwards. That leaves one hole, a writer stopped for so long that the ring went around under it; therefore records carry
 * a check sum with their sequence number in it, and what does not match counts as lost.
 *
 * Console output is done by whoever finds no one else doing it (console_busy); records that come meanwhile are seen by that one before
 * it leaves, or by its last look after it. So nobody waits here either, and the order is that of the ring.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/core/internal.h>

#ifdef KEEL_DEBUG
#define RING_UNITS (256u * 1024 / 8)
#else
#define RING_UNITS (64u * 1024 / 8)
#endif
#define SLOTS (RING_UNITS / 8)		/* a record takes 64 bytes on average */
#define PLACE_BITS 24			/* places count far beyond the ring, so that "a ring ago" can be told from "now" */
#define PLACE_MASK ((1ul << PLACE_BITS) - 1)

struct record_head {
	u64 time_ns;
	u32 check;
	u16 len;
	u8 level, facility;
};
_Static_assert(sizeof(struct record_head) == 16, "two units");

static u64 ring[RING_UNITS];		/* [a] as described above */
static u64 slots[SLOTS];		/* [a] */
static u64 log_head;			/* [a] */
static u64 log_first;			/* [a] a lower bound of the oldest readable sequence number; only grows */

static u32 console_busy;		/* [a] */
static u64 console_seq;			/* [console_busy] next record to print */
static char console_text[LOG_TEXT_MAX];	/* [console_busy] */
static u32 console_level = 7;		/* [a] */
static void (*console_write)(const char *text, size_t len);	/* [a] */
static void (*listener)(void);		/* [a] */
static bool is_ready;			/* GS and the clock may be used */
static bool is_panicking;

/* --- The ring */

static void ring_put(u64 place, size_t offset, const void *data, size_t n)
{
	size_t at = ((place % RING_UNITS) * 8 + offset) % sizeof(ring);
	size_t first = min(n, sizeof(ring) - at);

	memcpy((char *)ring + at, data, first);
	memcpy(ring, (const char *)data + first, n - first);
}

static void ring_get(u64 place, size_t offset, void *data, size_t n)
{
	size_t at = ((place % RING_UNITS) * 8 + offset) % sizeof(ring);
	size_t first = min(n, sizeof(ring) - at);

	memcpy(data, (const char *)ring + at, first);
	memcpy((char *)data + first, ring, n - first);
}

static u64 sum_begin(u64 seq, const struct record_head *head)
{
	return (seq * 0x9e3779b97f4a7c15ull) ^ head->time_ns ^ ((u64)head->len << 32 | (u64)head->level << 8 | head->facility);
}

static u64 sum_add(u64 sum, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (u8)text[i]) * 0x100000001b3ull;	/* FNV-1a */
	return sum;
}

static u32 sum_end(u64 sum)
{
	return (u32)(sum ^ sum >> 32);
}

/* True if the record at this place has been overwritten, or is being. */
static bool place_is_lost(u64 place)
{
	return (((LOAD_ACQUIRE(log_head) & PLACE_MASK) - place) & PLACE_MASK) > RING_UNITS;
}

static void slot_publish(u64 seq, u64 place)
{
	u64 *slot = &slots[seq % SLOTS];
	u64 now = READ_ONCE(*slot);

	while (now >> PLACE_BITS < seq + 1)
		if (__atomic_compare_exchange_n(slot, &now, (seq + 1) << PLACE_BITS | place, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			break;
}

static void record_write(u32 level, u32 facility, const char *text, size_t len)
{
	struct record_head head = {
		.time_ns = is_ready ? clock_now_ns() : 0,
		.len = (u16)len, .level = (u8)level, .facility = (u8)facility,
	};
	u64 units = DIV_ROUND_UP(sizeof(head) + len, 8), old = READ_ONCE(log_head), new, seq, place;

	do {
		seq = old >> PLACE_BITS;
		place = old & PLACE_MASK;
		new = (seq + 1) << PLACE_BITS | ((place + units) & PLACE_MASK);
	} while (!__atomic_compare_exchange_n(&log_head, &old, new, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	head.check = sum_end(sum_add(sum_begin(seq, &head), text, len));
	ring_put(place, 0, &head, sizeof(head));
	ring_put(place, sizeof(head), text, len);
	slot_publish(seq, place);
}

/* Copies record `seq` if it is whole; text beyond `max` is cut. */
static bool record_read(u64 seq, u64 place, struct log_record *rec, char *text, size_t max)
{
	struct record_head head;
	char piece[64];
	u64 sum;

	ring_get(place, 0, &head, sizeof(head));
	if (head.len > LOG_TEXT_MAX)
		return false;
	/* In pieces, for the sum is over the whole text and `text` may be shorter. */
	sum = sum_begin(seq, &head);
	for (size_t done = 0; done < head.len;) {
		size_t n = min(sizeof(piece), head.len - done);

		ring_get(place, sizeof(head) + done, piece, n);
		sum = sum_add(sum, piece, n);
		if (done < max)
			memcpy(text + done, piece, min(n, max - done));
		done += n;
	}
	*rec = (struct log_record){
		.seq = seq, .time_ns = head.time_ns, .level = head.level, .facility = head.facility, .len = min((size_t)head.len, max),
	};
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return sum_end(sum) == head.check && !place_is_lost(place);
}

u64 log_next_seq(void)
{
	return LOAD_ACQUIRE(log_head) >> PLACE_BITS;
}

u64 log_first_seq(void)
{
	u64 seq = READ_ONCE(log_first), next = log_next_seq(), old;

	if (next > SLOTS && seq < next - SLOTS)
		seq = next - SLOTS;
	for (; seq < next; seq++) {
		u64 slot = LOAD_ACQUIRE(slots[seq % SLOTS]);

		if (slot >> PLACE_BITS < seq + 1)
			break;		/* not finished yet */
		if (slot >> PLACE_BITS == seq + 1 && !place_is_lost(slot & PLACE_MASK))
			break;
	}
	old = READ_ONCE(log_first);
	while (old < seq && !__atomic_compare_exchange_n(&log_first, &old, seq, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return seq;
}

bool log_read(u64 *seq, struct log_record *rec, char *text, size_t max)
{
	for (;;) {
		u64 slot, first = log_first_seq(), next = log_next_seq();

		if (*seq < first)
			*seq = first;
		if (*seq >= next)
			return false;
		slot = LOAD_ACQUIRE(slots[*seq % SLOTS]);
		if (slot >> PLACE_BITS == *seq + 1) {
			if (record_read(*seq, slot & PLACE_MASK, rec, text, max))
				return true;
		} else if (slot >> PLACE_BITS < *seq + 1 && !is_panicking && next - *seq < SLOTS / 2) {
			return false;	/* its writer has not finished, and will call the listener */
		}
		++*seq;
	}
}

/* --- The console */

static void console_put(const char *text, size_t len)
{
	void (*write)(const char *, size_t) = LOAD_ACQUIRE(console_write);

	if (write && !is_panicking)
		write(text, len);
	else
		early_console_write(text, len);
}

/* Each line of a record gets the time in front, as Linux does it. */
static void console_record(const struct log_record *rec, const char *text)
{
	char prefix[32];
	size_t at = 0;

	do {
		const char *end = memchr(text + at, '\n', rec->len - at);
		size_t n = end ? (size_t)(end - text) - at : rec->len - at;

		console_put(prefix, (size_t)scnprintf(prefix, sizeof(prefix), "[%5lu.%06lu] ", rec->time_ns / NSEC_PER_SEC,
						      rec->time_ns % NSEC_PER_SEC / 1000));
		console_put(text + at, n);
		console_put("\n", 1);
		at += n + 1;
	} while (at < rec->len);
}

static bool console_has_more(void)
{
	u64 seq = READ_ONCE(console_seq);

	return seq < log_next_seq() && LOAD_ACQUIRE(slots[seq % SLOTS]) >> PLACE_BITS >= seq + 1;
}

static void console_flush(void)
{
	struct log_record rec;

	do {
		if (__atomic_exchange_n(&console_busy, 1, __ATOMIC_SEQ_CST) && !is_panicking)
			return;
		for (u64 seq = console_seq; log_read(&seq, &rec, console_text, sizeof(console_text)); WRITE_ONCE(console_seq, seq)) {
			seq++;
			if (rec.level < READ_ONCE(console_level))
				console_record(&rec, console_text);
		}
		__atomic_store_n(&console_busy, 0, __ATOMIC_SEQ_CST);
	} while (console_has_more());
}

/* --- Its users */

static void log_emit(u32 level, u32 facility, const char *text, size_t len)
{
	while (len && text[len - 1] == '\n')
		len--;
	len = min(len, (size_t)LOG_TEXT_MAX);
	if (is_ready)
		preempt_disable();	/* or others would wait for a flusher that does not run */
	record_write(level, facility, text, len);
	console_flush();
	if (!is_ready)
		return;
	if (READ_ONCE(listener) && !is_panicking)
		soft_raise(SOFT_LOG);	/* not here: it wakes tasks, and the printer may hold the very locks that takes */
	if (is_panicking)
		preempt_enable_no_resched();
	else
		preempt_enable();
}

static bool log_soft(void)
{
	void (*fn)(void) = LOAD_ACQUIRE(listener);

	if (fn)
		fn();
	return false;
}

void vklog(enum log_level level, const char *fmt, va_list args)
{
	char text[LOG_TEXT_MAX + 1];
	int len = vscnprintf(text, sizeof(text), fmt, args);

	log_emit(level, 0, text, (size_t)len);
}

void klog(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vklog(level, fmt, args);
	va_end(args);
}

void log_write_user(u32 prefix, const char *text, size_t len)
{
	log_emit(prefix & 7, prefix >> 3, text, len);
}

void log_set_listener(void (*fn)(void))
{
	STORE_RELEASE(listener, fn);
}

void log_set_console(void (*write)(const char *text, size_t len))
{
	STORE_RELEASE(console_write, write);
}

u32 log_console_level(u32 new_level)
{
	if (new_level == ~0u)
		return READ_ONCE(console_level);
	return __atomic_exchange_n(&console_level, clamp(new_level, 1u, 15u), __ATOMIC_RELAXED);
}

void log_console_raw(const char *text, size_t len)
{
	early_console_write(text, len);
}

void log_panic_mode(void)
{
	is_panicking = true;
	console_flush();	/* what a stopped flusher left, by the level it was written under */
	log_console_level(15);
}

void __init log_init(void)
{
	char value[16];
	u64 level;

	if (boot_option("quiet", value, sizeof(value)))
		log_console_level(4);
	if (boot_option("debug", value, sizeof(value)))
		log_console_level(10);
	if (boot_option("loglevel", value, sizeof(value)) && !parse_u64(value, strlen(value), 0, &level))
		log_console_level((u32)min(level, (u64)15));
	if (boot_option("ignore_loglevel", value, sizeof(value)))
		log_console_level(15);
	soft_register(SOFT_LOG, log_soft);
	is_ready = true;
}
