package dev.spike.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** The frames of RESP, version 2 and 3: where one ends. */
final class RespFrames {

    private RespFrames() {}

    /**
     * Copies one frame.
     *
     * @return the strings in it, one char for each byte
     * @throws EOFException if the stream ends before the frame does
     */
    static List<String> copy(InputStream in, ByteArrayOutputStream out) throws IOException {
        List<String> strings = new ArrayList<>();
        for (long left = 1; left > 0; left--) {
            String line = line(in, out);
            int length = "$=!*~>%|".indexOf(line.charAt(0)) >= 0
                    ? Integer.parseInt(line.substring(1))
                    : 0;
            switch (line.charAt(0)) {
                case '$', '=', '!' -> {
                    if (length >= 0) {
                        String text = bytes(in, length + 2, out);
                        strings.add(text.substring(0, length));
                    }
                }
                case '*', '~', '>' -> left += Math.max(0, length);
                case '%' -> left += 2L * length;
                // What it tells is of the frame that follows.
                case '|' -> left += 2L * length + 1;
                case '+', '-', ':', '_', '#', ',', '(' -> {}
                default -> throw new IOException("no RESP: " + line);
            }
        }
        return strings;
    }

    /** Without what ends it. */
    private static String line(InputStream in, ByteArrayOutputStream out) throws IOException {
        StringBuilder line = new StringBuilder();
        while (line.length() < 2 || line.charAt(line.length() - 1) != '\n') {
            line.append(bytes(in, 1, out));
        }
        return line.substring(0, line.length() - 2);
    }

    private static String bytes(InputStream in, int length, ByteArrayOutputStream out)
            throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        out.writeBytes(bytes);
        return new String(bytes, ISO_8859_1);
    }
}
