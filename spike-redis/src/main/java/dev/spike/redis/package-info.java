/**
 * The shared stock of Spike in Redis: {@link dev.spike.redis.RedisStore} connects,
 * {@link dev.spike.redis.RedisSpike} sells.
 */
@NullMarked
package dev.spike.redis;

import org.jspecify.annotations.NullMarked;
