/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The wall clock at start-up: the MC146818's registers (UTC), or what KVM says where there is none.
 * Locking: `lock`, for the index register.
 */
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/spinlock.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/calibrate.h>
#include <lib/string.h>

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
enum { RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9, RTC_A = 10, RTC_B = 11 };
#define RTC_A_UPDATING 0x80
#define RTC_B_24H 0x02
#define RTC_B_BINARY 0x04
#define RTC_PM 0x80

struct rtc {
	u8 seconds, minutes, hours, day, month, year, century;
};

static struct spinlock lock = SPINLOCK_INIT("rtc");

static u8 rtc_register(u8 index)
{
	outb(RTC_INDEX, index);
	return inb(RTC_DATA);
}

static struct rtc read_once(void)
{
	u8 century = acpi_facts.century_index;

	return (struct rtc){ rtc_register(RTC_SECONDS), rtc_register(RTC_MINUTES), rtc_register(RTC_HOURS), rtc_register(RTC_DAY),
			     rtc_register(RTC_MONTH), rtc_register(RTC_YEAR),
			     (u8)(century >= 0x0e && century < 0x80 ? rtc_register(century) : 0) };
}

/* The same twice, and not in an update. False: nobody there. */
static bool read_stable(struct rtc *out)
{
	u64 until = clock_now_ns() + 20 * NSEC_PER_MSEC;

	do {
		struct rtc again;

		while ((rtc_register(RTC_A) & RTC_A_UPDATING) && clock_now_ns() < until)
			cpu_relax();
		*out = read_once();
		again = read_once();
		if (memcmp(out, &again, sizeof(again)) == 0)
			return out->month != 0xff && out->day != 0xff;
	} while (clock_now_ns() < until);
	return false;
}

static u8 from_bcd(u8 v)
{
	return (u8)((v >> 4) * 10 + (v & 15));
}

static void decode(struct rtc *t, u8 b)
{
	bool is_pm = t->hours & RTC_PM;

	t->hours &= (u8)~RTC_PM;
	if (!(b & RTC_B_BINARY))
		*t = (struct rtc){ from_bcd(t->seconds), from_bcd(t->minutes), from_bcd(t->hours), from_bcd(t->day),
				   from_bcd(t->month), from_bcd(t->year), from_bcd(t->century) };
	if (!(b & RTC_B_24H))
		t->hours = (u8)(t->hours % 12 + (is_pm ? 12 : 0));
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, y ≥ 1970. */
static u64 days_since_1970(u64 y, u64 m, u64 d)
{
	/* Years that begin in March, so that the leap day is the last. */
	if (m <= 2)
		y--;
	m = (m + 9) % 12;
	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + d - 1 - 719468;
}

u64 clock_wall_seconds(void)
{
	struct rtc t;
	u64 year;

	SPIN_GUARD(&lock);
	if (!read_stable(&t))
		return kvm_wall_seconds();
	decode(&t, rtc_register(RTC_B));
	year = t.century >= 19 && t.century < 100 ? t.century * 100u + t.year : t.year + (t.year < 70 ? 2000u : 1900u);
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.hours > 23 || t.minutes > 59 || t.seconds > 59 || year < 1970)
		return kvm_wall_seconds();
	return days_since_1970(year, t.month, t.day) * 86400 + t.hours * 3600u + t.minutes * 60u + t.seconds;
}
