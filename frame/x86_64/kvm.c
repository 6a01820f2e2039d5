/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Time as the KVM hypervisor tells it (its MSR interface): the TSC's rate, exact, and the wall clock, for machines that have no RTC.
 * Each is asked once and turned off again: what runs is the TSC itself.
 */
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/calibrate.h>
#include <frame/x86_64/image.h>
#include <lib/math64.h>
#include <lib/string.h>

#define KVM_FEATURE_CLOCK (1u << 3)
#define MSR_KVM_WALL_CLOCK 0x4b564d00
#define MSR_KVM_SYSTEM_TIME 0x4b564d01

struct kvm_time {
	u32 version;			/* odd while it is being written */
	u32 pad0;
	u64 tsc, ns;
	u32 mult;
	s8 shift;
	u8 flags, pad[2];
};
_Static_assert(sizeof(struct kvm_time) == 32, "pvclock");

struct kvm_wall {
	u32 version, sec, nsec;
};

static struct {
	struct kvm_time time;
	struct kvm_wall wall;
} shared __aligned(64);			/* the hypervisor writes here, at our request only */

static bool has_clock(void)
{
	struct cpuid c;
	char name[12];

	if (!cpu_features.hypervisor)
		return false;
	c = cpuid(0x40000000, 0);
	memcpy(name, &c.b, 4);
	memcpy(name + 4, &c.c, 4);
	memcpy(name + 8, &c.d, 4);
	return memcmp(name, "KVMKVMKVM\0\0\0", 12) == 0 && (cpuid(0x40000001, 0).a & KVM_FEATURE_CLOCK);
}

static struct kvm_time time_read(void)
{
	volatile struct kvm_time *t = &shared.time;
	struct kvm_time out;

	wrmsr(MSR_KVM_SYSTEM_TIME, image_phys(&shared.time) | 1);
	do {
		out.version = t->version;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		out.tsc = t->tsc;
		out.ns = t->ns;
		out.mult = t->mult;
		out.shift = t->shift;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((out.version & 1) || out.version != t->version);
	wrmsr(MSR_KVM_SYSTEM_TIME, 0);
	return out;
}

u64 kvm_tsc_hz(void)
{
	struct kvm_time t;
	u64 hz;

	if (!has_clock())
		return 0;
	t = time_read();
	if (!t.mult || t.shift > 31 || t.shift < -31)
		return 0;
	hz = mul_div_u64(NSEC_PER_SEC, 1ull << 32, t.mult);
	return t.shift < 0 ? hz << -t.shift : hz >> t.shift;
}

u64 kvm_wall_seconds(void)
{
	volatile struct kvm_wall *w = &shared.wall;
	struct kvm_time t;
	u64 ns;

	if (!has_clock())
		return 0;
	t = time_read();
	if (!t.mult)
		return 0;
	wrmsr(MSR_KVM_WALL_CLOCK, image_phys(&shared.wall));
	ns = rdtsc() - t.tsc;
	ns = mul_u64_u32_shr(t.shift < 0 ? ns >> -t.shift : ns << t.shift, t.mult, 32) + t.ns;
	return w->sec + (w->nsec + ns) / NSEC_PER_SEC;
}
