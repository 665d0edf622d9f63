/** What Prometheus is told: made from the engine's own counters when somebody asks, and kept nowhere else. */
@NullMarked
package io.loomstream.admin.metrics;

import org.jspecify.annotations.NullMarked;
