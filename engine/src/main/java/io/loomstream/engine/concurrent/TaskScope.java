package io.loomstream.engine.concurrent;

import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Owns the threads of some work: forks tasks on virtual threads and does not end before every one of them has. The shape and
 * guarantees of the JDK's structured task scope, which is still a preview API, on final APIs.
 *
 * <p>In a scope made by {@link #open} the first failure cancels the siblings and {@link #join} throws it. In one made by
 * {@link #openSupervised} a failure goes to a handler and disturbs nobody: for work as long as the server lives.
 *
 * <p>Thread-safe: a fork may fork. Finished forks are forgotten, so a scope may have millions of them in its life.
 */
public final class TaskScope implements AutoCloseable {
    private final String name;
    private final @Nullable Consumer<Throwable> onFailure;
    private final Set<Thread> running = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private int live;
    private boolean cancelled;
    private @Nullable Throwable firstFailure;

    private TaskScope(String name, @Nullable Consumer<Throwable> onFailure) {
        this.name = name;
        this.onFailure = onFailure;
    }

    /** A scope whose first failing fork cancels the others. */
    public static TaskScope open(String name) {
        return new TaskScope(name, null);
    }

    /** A scope whose forks fail alone; each failure is handed over, in the failing thread. */
    public static TaskScope openSupervised(String name, Consumer<Throwable> onFailure) {
        return new TaskScope(name, onFailure);
    }

    /** A task under way, or ended. */
    public static final class Fork<T> {
        private volatile boolean done;
        private @Nullable T result;
        private volatile @Nullable Throwable failure;

        private Fork() {}

        /**
         * The task's result, once it has ended well.
         *
         * @throws IllegalStateException when it has not ended, or failed
         */
        @SuppressWarnings("NullAway") // a task may give null where its type says so
        public T get() {
            if (!done || failure != null) {
                throw new IllegalStateException("the fork has no result", failure);
            }
            return result;
        }
    }

    /** What {@link #join} throws: the first failure as the cause, the others suppressed. */
    public static final class FailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        FailedException(String scope, Throwable cause) {
            super("a task of \"" + scope + "\" failed: " + cause.getMessage(), cause);
        }
    }

    /**
     * Runs a task on a virtual thread of its own.
     *
     * @throws IllegalStateException when the scope was cancelled or closed
     */
    public <T extends @Nullable Object> Fork<T> fork(Callable<? extends T> task) {
        Fork<T> fork = new Fork<>();
        Thread thread = Thread.ofVirtual().name(name).unstarted(() -> run(fork, task));
        lock.lock();
        try {
            if (cancelled) {
                throw new IllegalStateException("scope \"" + name + "\" was cancelled");
            }
            live++;
            running.add(thread);
        } finally {
            lock.unlock();
        }
        boolean started = false;
        try {
            thread.start();
            started = true;
        } finally {
            // Out of memory, for one: a fork that never runs must not be waited for.
            if (!started) {
                forget(thread);
            }
        }
        return fork;
    }

    private void forget(Thread thread) {
        lock.lock();
        try {
            running.remove(thread);
            live--;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private <T extends @Nullable Object> void run(Fork<T> fork, Callable<? extends T> task) {
        Throwable failure = null;
        try {
            fork.result = task.call();
        } catch (Throwable thrown) {
            failure = thrown;
            fork.failure = thrown;
        }
        fork.done = true;
        ended(failure);
    }

    private void ended(@Nullable Throwable failure) {
        boolean report = false;
        lock.lock();
        try {
            running.remove(Thread.currentThread());
            boolean ownCancellation = cancelled && failure instanceof InterruptedException;
            if (failure != null && !ownCancellation) {
                if (onFailure != null) {
                    report = true;
                } else if (firstFailure == null) {
                    firstFailure = failure;
                    cancel();
                } else {
                    suppressed(firstFailure, failure);
                }
            }
        } finally {
            lock.unlock();
        }
        try {
            if (report && onFailure != null && failure != null) {
                onFailure.accept(failure);
            }
        } finally {
            lock.lock();
            try {
                live--;
                ended.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // two forks may throw the very same exception, which cannot suppress itself
    private static void suppressed(Throwable first, Throwable later) {
        if (first != later) {
            first.addSuppressed(later);
        }
    }

    /** Interrupts every fork and lets no new one begin. Does not wait. */
    public void cancel() {
        lock.lock();
        try {
            cancelled = true;
            running.forEach(Thread::interrupt);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until every fork has ended.
     *
     * @throws FailedException when one failed, in a scope that is not supervised
     */
    public void join() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (live > 0) {
                ended.await();
            }
            if (firstFailure != null) {
                throw new FailedException(name, firstFailure);
            }
        } finally {
            lock.unlock();
        }
    }

    /** How many forks have not ended. */
    public int live() {
        lock.lock();
        try {
            return live;
        } finally {
            lock.unlock();
        }
    }

    /** Cancels what still runs and waits for it, also when interrupted: no thread outlives its scope. */
    @Override
    public void close() {
        boolean interrupted = false;
        lock.lock();
        try {
            cancel();
            while (live > 0) {
                try {
                    ended.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
