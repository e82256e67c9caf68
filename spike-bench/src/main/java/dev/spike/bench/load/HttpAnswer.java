package dev.spike.bench.load;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.util.Locale;

/**
 * Reads an HTTP/1.1 answer out of an array that it comes into piece by piece: the status line,
 * Content-Length, whether the connection ends, and where the body lies. It reads nothing else, so a
 * chunked answer is an error. Used over and over, by one thread.
 */
final class HttpAnswer {

    private static final int UNKNOWN = -1;

    private int searched;
    private int status;
    private int bodyFrom;
    private int bodyTo;
    private boolean last;

    HttpAnswer() {
        clear();
    }

    /** Makes it ready for the next answer. */
    void clear() {
        searched = 0;
        bodyFrom = UNKNOWN;
        bodyTo = UNKNOWN;
        last = false;
    }

    /**
     * Reads what is there now.
     *
     * @param in the answer, from its first byte on
     * @param length how much of it is there
     * @return whether all of it is there
     * @throws IOException if this is not an answer that can be read
     */
    boolean read(byte[] in, int length) throws IOException {
        if (bodyFrom == UNKNOWN) {
            findHead(in, length);
        }
        if (bodyFrom == UNKNOWN) {
            return false;
        }
        if (length > bodyTo) {
            throw new IOException("an answer with more bytes than its Content-Length");
        }
        return length == bodyTo;
    }

    private void findHead(byte[] in, int length) throws IOException {
        for (int at = searched; at + 3 < length; at++) {
            if (in[at] == '\r' && in[at + 1] == '\n' && in[at + 2] == '\r' && in[at + 3] == '\n') {
                readHead(in, at + 2);
                return;
            }
        }
        searched = Math.max(0, length - 3);
    }

    /** Reads the lines up to an index, each with its CR and LF. */
    private void readHead(byte[] in, int end) throws IOException {
        status = status(in, end);
        int contentLength = status == 204 || status == 304 ? 0 : UNKNOWN;
        int line = after(in, 0);
        while (line < end) {
            int next = after(in, line);
            if (begins(in, line, "content-length:")) {
                contentLength = number(in, line + "content-length:".length(), next - 2);
            } else if (begins(in, line, "transfer-encoding:")) {
                throw new IOException("a chunked answer, which is not read");
            } else if (begins(in, line, "connection: close")) {
                last = true;
            }
            line = next;
        }
        if (contentLength == UNKNOWN) {
            throw new IOException("an answer without Content-Length, which is not read");
        }
        bodyFrom = end + 2;
        bodyTo = bodyFrom + contentLength;
    }

    private static int status(byte[] in, int end) throws IOException {
        if (end < 14 || !begins(in, 0, "http/1.1 ")) {
            throw new IOException("no answer in HTTP/1.1 but "
                    + new String(in, 0, Math.min(end, 40), ISO_8859_1).strip());
        }
        return number(in, 9, 12);
    }

    /** Where the line after this one begins. */
    private static int after(byte[] in, int line) {
        int at = line;
        while (in[at] != '\n') {
            at++;
        }
        return at + 1;
    }

    private static boolean begins(byte[] in, int at, String lowerCase) {
        for (int i = 0; i < lowerCase.length(); i++) {
            int given = in[at + i];
            if ((given >= 'A' && given <= 'Z' ? given + 32 : given) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int number(byte[] in, int from, int to) throws IOException {
        String text = new String(in, from, to - from, ISO_8859_1).strip();
        try {
            return Integer.parseUnsignedInt(text);
        } catch (NumberFormatException malformed) {
            throw new IOException(
                    String.format(Locale.ROOT, "an answer with the number '%s'", text), malformed);
        }
    }

    int status() {
        return status;
    }

    int bodyFrom() {
        return bodyFrom;
    }

    int bodyTo() {
        return bodyTo;
    }

    /** Whether the server will close the connection after it. */
    boolean isLast() {
        return last;
    }
}
