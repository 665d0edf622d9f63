/** The configuration file: YAML to immutable records, with every refusal naming key, value and line. */
@NullMarked
package io.loomstream.app.config;

import org.jspecify.annotations.NullMarked;
