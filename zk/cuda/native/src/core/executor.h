// SPDX-License-Identifier: Apache-2.0
// The one thread that launches kernels: calls queue for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace opensand {

class Executor {
public:
	Executor() : thread([this] { serve(); }) {}
	~Executor();

	// Runs a task, and throws what it throws. Returns the nanoseconds that it waited for its turn.
	uint64_t run(std::function<void()> task);

private:
	struct Job {
		std::function<void()> task;
		std::exception_ptr failure;
		uint64_t started = 0;
		bool done = false;
	};

	void serve();

	std::mutex mutex;
	std::condition_variable queued, finished;
	std::deque<Job *> queue;
	bool closing = false;
	std::thread thread;
};

} // namespace opensand
