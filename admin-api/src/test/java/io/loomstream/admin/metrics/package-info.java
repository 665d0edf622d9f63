/** What a scrape shows, of running fleets. */
@NullMarked
package io.loomstream.admin.metrics;

import org.jspecify.annotations.NullMarked;
