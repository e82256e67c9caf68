package dev.spike.redis;

/** Placeholder until the connection exists. */
public final class RedisStore {}
