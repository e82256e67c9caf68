package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes, and reads, the little of MessagePack that a batch needs: arrays, strings and non-negative
 * integers.
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

    /**
     * Reads one value: an array as a list, a string, or an integer as a long; also in the shorter
     * forms that Redis writes.
     *
     * @throws IllegalStateException if the bytes are anything else
     */
    static Object read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            Object value = read(in);
            if (in.hasRemaining()) {
                throw new IllegalStateException(in.remaining() + " bytes after the value");
            }
            return value;
        } catch (BufferUnderflowException cut) {
            throw new IllegalStateException("a value that is cut off", cut);
        }
    }

    private static Object read(ByteBuffer in) {
        int type = in.get() & 0xff;
        if (type < 0x80) {
            return (long) type;
        } else if (type >= 0x90 && type <= 0x9f) {
            return list(in, type & 0x0f);
        } else if (type >= 0xa0 && type <= 0xbf) {
            return text(in, type & 0x1f);
        }
        return switch (type) {
            case 0xcc -> (long) (in.get() & 0xff);
            case 0xcd -> (long) (in.getShort() & 0xffff);
            case 0xce -> in.getInt() & 0xffffffffL;
            case 0xd9 -> text(in, in.get() & 0xff);
            case 0xda -> text(in, in.getShort() & 0xffff);
            case 0xdc -> list(in, in.getShort() & 0xffff);
            default -> throw new IllegalStateException("a value of type " + type);
        };
    }

    private static List<Object> list(ByteBuffer in, int length) {
        List<Object> values = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            values.add(read(in));
        }
        return values;
    }

    private static String text(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = new String(in.array(), in.position(), length, UTF_8);
        in.position(in.position() + length);
        return text;
    }
}
