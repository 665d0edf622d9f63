/** Tests of the configuration file. */
@NullMarked
package io.loomstream.app.config;

import org.jspecify.annotations.NullMarked;
