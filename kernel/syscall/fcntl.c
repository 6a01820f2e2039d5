/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of fcntl(2) and flock(2). */
#include "abi/fcntl.h"
#include "fs/async.h"
#include "fs/fcntl.h"
#include "fs/fdtable.h"
#include "fs/leases.h"
#include "fs/locks.h"
#include "fs/pipe.h"
#include "fs/seals.h"
#include "fs/vfs.h"
#include "object/pid.h"
#include "proc/thread.h"
#include "syscall/handlers.h"

/* --- Descriptors: O_PATH ones are fine here */

static s64 get_fd_flags(s32 fd)
{
	bool is_cloexec;
	int err = fd_get_cloexec(fd, &is_cloexec);

	return err ? err : is_cloexec ? FD_CLOEXEC : 0;
}

static s64 set_fd_flags(s32 fd, u64 flags)
{
	bool is_cloexec;
	int err = fd_get_cloexec(fd, &is_cloexec);

	if (!err)
		fd_set_cloexec(fd, (flags & FD_CLOEXEC) != 0);
	return err;
}

/* --- Record locks */

/* The byte range that l_whence, l_start and l_len mean. */
static int range_of(struct file *f, const struct flock *fl, struct lock_request *rq)
{
	s64 base, start, end;

	switch (fl->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (s64)READ_ONCE(f->pos);
		break;
	case SEEK_END:
		base = (s64)READ_ONCE(f->inode->mapping.size);
		break;
	default:
		return -EINVAL;
	}
	if (add_overflows(base, fl->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = S64_MAX;
	if (fl->l_len > 0 && add_overflows(start, fl->l_len - 1, &end))
		return -EOVERFLOW;
	if (fl->l_len < 0) {
		end = start - 1;
		start += fl->l_len;
		if (start < 0)
			return -EINVAL;
	}
	rq->start = (u64)start;
	rq->end = (u64)end;
	return 0;
}

static int type_of(s16 l_type, enum lock_type *type)
{
	switch (l_type) {
	case F_RDLCK:
		*type = LOCK_TYPE_READ;
		return 0;
	case F_WRLCK:
		*type = LOCK_TYPE_WRITE;
		return 0;
	case F_UNLCK:
		*type = LOCK_TYPE_NONE;
		return 0;
	default:
		return -EINVAL;
	}
}

static int decode(struct file *f, uaddr_t from, bool is_ofd, struct flock *fl, struct lock_request *rq)
{
	int err;

	if (uget(fl, from, sizeof(*fl)))
		return -EFAULT;
	*rq = (struct lock_request){ .class = is_ofd ? LOCK_CLASS_OFD : LOCK_CLASS_POSIX };
	rq->pid = is_ofd ? NULL : current_process()->pids[PID_TGID];
	err = range_of(f, fl, rq);
	if (!err)
		err = type_of(fl->l_type, &rq->type);
	if (!err && is_ofd && fl->l_pid)
		err = -EINVAL;
	return err;
}

static s64 get_lock(struct file *f, uaddr_t addr, bool is_ofd)
{
	struct lock_request rq;
	struct lock_holder in_way;
	struct flock fl;
	int err = decode(f, addr, is_ofd, &fl, &rq);

	if (err)
		return err;
	if (rq.type == LOCK_TYPE_NONE)
		return -EINVAL;
	lock_test(f, &rq, &in_way);
	fl.l_type = F_UNLCK;
	if (in_way.type != LOCK_TYPE_NONE) {
		fl.l_type = in_way.type == LOCK_TYPE_READ ? F_RDLCK : F_WRLCK;
		fl.l_whence = SEEK_SET;
		fl.l_start = (s64)in_way.start;
		fl.l_len = in_way.end == S64_MAX ? 0 : (s64)(in_way.end - in_way.start + 1);
		fl.l_pid = in_way.pid ? pid_nr(in_way.pid, &init_pid_ns) : -1;
		if (in_way.pid)
			pid_put(in_way.pid);
	}
	return uput(addr, &fl, sizeof(fl));
}

/* A close(2) by another thread while we locked lets go of the process's locks: one that came after it must go too. */
static void undo_if_closed(s32 fd, const struct fdref *r, struct lock_request *rq)
{
	struct file *now;

	if (!r->is_counted || rq->class != LOCK_CLASS_POSIX || rq->type == LOCK_TYPE_NONE)
		return;
	now = fd_get(fd);
	if (now != r->file) {
		rq->type = LOCK_TYPE_NONE;
		(void)!lock_set(r->file, rq);
	}
	if (now)
		file_put(now);
}

static s64 set_lock(s32 fd, const struct fdref *r, uaddr_t addr, bool is_ofd, bool can_wait)
{
	struct lock_request rq;
	struct flock fl;
	int err = decode(r->file, addr, is_ofd, &fl, &rq);

	if (err)
		return err;
	if (rq.type == LOCK_TYPE_READ && !(r->file->mode & FMODE_READ))
		return -EBADF;
	if (rq.type == LOCK_TYPE_WRITE && !(r->file->mode & FMODE_WRITE))
		return -EBADF;
	rq.can_wait = can_wait;
	err = lock_set(r->file, &rq);
	if (!err)
		undo_if_closed(fd, r, &rq);
	return err;
}

/* --- Whom to signal */

static s64 set_owner(struct file *f, enum sigio_owner type, s32 nr)
{
	struct pid *pid = nr ? pid_find_get(&init_pid_ns, nr) : NULL;
	int err;

	if (nr && !pid)
		return -ESRCH;
	err = async_set_owner(f, type, pid);
	if (pid)
		pid_put(pid);
	return err;
}

static s64 set_owner_number(struct file *f, s32 nr)
{
	if (nr == S32_MIN)
		return -EINVAL;
	return nr < 0 ? set_owner(f, SIGIO_TO_GROUP, -nr) : set_owner(f, SIGIO_TO_PROCESS, nr);
}

static s32 owner_of(struct file *f, enum sigio_owner *type)
{
	struct pid *pid;
	s32 nr = 0;

	async_get_owner(f, type, &pid);
	if (pid) {
		nr = pid_nr(pid, &init_pid_ns);
		pid_put(pid);
	}
	return nr;
}

static s64 get_owner_number(struct file *f)
{
	enum sigio_owner type;
	s32 nr = owner_of(f, &type);

	return type == SIGIO_TO_GROUP ? -nr : nr;
}

_Static_assert(F_OWNER_TID == SIGIO_TO_THREAD && F_OWNER_PID == SIGIO_TO_PROCESS && F_OWNER_PGRP == SIGIO_TO_GROUP, "f_owner_ex");

static s64 set_owner_ex(struct file *f, uaddr_t from)
{
	struct f_owner_ex ex;

	if (uget(&ex, from, sizeof(ex)))
		return -EFAULT;
	if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP)
		return -EINVAL;
	return set_owner(f, (enum sigio_owner)ex.type, ex.pid);
}

static s64 get_owner_ex(struct file *f, uaddr_t to)
{
	enum sigio_owner type;
	struct f_owner_ex ex = { .pid = owner_of(f, &type) };

	ex.type = (s32)type;
	return uput(to, &ex, sizeof(ex));
}

/* --- fcntl(2) */

static s64 fcntl_file(s32 fd, const struct fdref *r, u32 cmd, u64 arg)
{
	struct file *f = r->file;

	switch (cmd) {
	case F_SETFL:
		return file_set_flags(f, fd, (u32)arg);
	case F_GETLK:
	case F_OFD_GETLK:
		return get_lock(f, uaddr(arg), cmd == F_OFD_GETLK);
	case F_SETLK:
	case F_SETLKW:
		return set_lock(fd, r, uaddr(arg), false, cmd == F_SETLKW);
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return set_lock(fd, r, uaddr(arg), true, cmd == F_OFD_SETLKW);
	case F_SETOWN:
		return set_owner_number(f, (s32)arg);
	case F_GETOWN:
		return get_owner_number(f);
	case F_SETOWN_EX:
		return set_owner_ex(f, uaddr(arg));
	case F_GETOWN_EX:
		return get_owner_ex(f, uaddr(arg));
	case F_SETSIG:
		return arg > SIG_COUNT ? -EINVAL : async_set_signal(f, (u32)arg);
	case F_GETSIG:
		return async_get_signal(f);
	case F_SETLEASE:
		return lease_set(f, fd, (s32)arg);
	case F_GETLEASE:
		return lease_get(f);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_SETPIPE_SZ:
		return pipe_set_size(f, (u32)arg);
	case F_ADD_SEALS:
		return file_add_seals(f, arg);
	case F_GET_SEALS:
		return file_get_seals(f);
	default:
		return -EINVAL;
	}
}

s64 sys_fcntl(const struct syscall_args *a)
{
	s32 fd = (s32)a->v[0];
	u32 cmd = (u32)a->v[1];
	struct fdref r;
	s64 ret;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return fd_dup(fd, (s32)min(a->v[2], (u64)U32_MAX), cmd == F_DUPFD_CLOEXEC);	/* beyond any limit: -EINVAL */
	case F_GETFD:
		return get_fd_flags(fd);
	case F_SETFD:
		return set_fd_flags(fd, a->v[2]);
	}
	ret = cmd == F_GETFL ? fd_borrow_path(fd, &r) : fd_borrow(fd, &r);
	if (ret)
		return ret;
	ret = cmd == F_GETFL ? (s64)READ_ONCE(r.file->flags) : fcntl_file(fd, &r, cmd, a->v[2]);
	fd_end(&r);
	return ret;
}

/* --- flock(2) */

#define FLOCK_MAND 32u		/* accepted and ignored since Linux 5.15 */

static s64 flock_file(struct file *f, u32 op)
{
	struct lock_request rq = { .class = LOCK_CLASS_FLOCK, .end = S64_MAX, .can_wait = !(op & LOCK_NB), .pid = current_process()->pids[PID_TGID] };

	if (op & FLOCK_MAND)
		return 0;
	switch (op & ~(u32)LOCK_NB) {
	case LOCK_SH:
		rq.type = LOCK_TYPE_READ;
		break;
	case LOCK_EX:
		rq.type = LOCK_TYPE_WRITE;
		break;
	case LOCK_UN:
		rq.type = LOCK_TYPE_NONE;
		break;
	default:
		return -EINVAL;
	}
	if (rq.type != LOCK_TYPE_NONE && !(f->mode & (FMODE_READ | FMODE_WRITE)))
		return -EBADF;
	return lock_set(f, &rq);
}

s64 sys_flock(const struct syscall_args *a)
{
	struct fdref r;
	s64 ret = fd_borrow((s32)a->v[0], &r);

	if (ret)
		return ret;
	ret = flock_file(r.file, (u32)a->v[1]);
	fd_end(&r);
	return ret;
}
