/** The HTTP side: the admin API, the metrics and the page, over what the engine lets see and order. */
@NullMarked
package io.loomstream.admin;

import org.jspecify.annotations.NullMarked;
