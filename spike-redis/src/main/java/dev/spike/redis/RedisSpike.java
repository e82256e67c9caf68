package dev.spike.redis;

/** Placeholder until the scripts exist. */
public final class RedisSpike {}
