// SPDX-License-Identifier: Apache-2.0
#include "executor.h"

#include "clock.h"

namespace opensand {

Executor::~Executor() {
	{
		std::lock_guard lock(mutex);
		closing = true;
	}
	queued.notify_all();
	thread.join();
}

uint64_t Executor::run(std::function<void()> task) {
	Job job;
	job.task = std::move(task);
	uint64_t asked = now();
	std::unique_lock lock(mutex);
	queue.push_back(&job);
	queued.notify_one();
	finished.wait(lock, [&] { return job.done; });
	if (job.failure)
		std::rethrow_exception(job.failure);
	return job.started - asked;
}

void Executor::serve() {
	std::unique_lock lock(mutex);
	for (;;) {
		queued.wait(lock, [&] { return closing || !queue.empty(); });
		if (queue.empty())
			return;
		Job &job = *queue.front();
		queue.pop_front();
		lock.unlock();
		job.started = now();
		try {
			job.task();
		} catch (...) {
			job.failure = std::current_exception();
		}
		lock.lock();
		job.done = true;
		finished.notify_all();
	}
}

} // namespace opensand
