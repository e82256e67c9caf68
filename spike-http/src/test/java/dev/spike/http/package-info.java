@NullMarked
package dev.spike.http;

import org.jspecify.annotations.NullMarked;
