package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;

/**
 * Writes the little of MessagePack that a batch needs: arrays, strings and non-negative integers.
 */
final class MessagePack {

    private final ByteArrayOutputStream out;

    /** @param expectedBytes about how long it will be */
    MessagePack(int expectedBytes) {
        this.out = new ByteArrayOutputStream(expectedBytes);
    }

    MessagePack array(int length) {
        out.write(0xdc);
        return bigEndian(length, 2);
    }

    MessagePack string(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        if (bytes.length < 32) {
            out.write(0xa0 | bytes.length);
        } else {
            out.write(0xda);
            bigEndian(bytes.length, 2);
        }
        out.writeBytes(bytes);
        return this;
    }

    MessagePack integer(int value) {
        if (value < 128) {
            out.write(value);
            return this;
        }
        out.write(0xce);
        return bigEndian(value, 4);
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    private MessagePack bigEndian(int value, int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
            out.write(value >>> shift);
        }
        return this;
    }
}
