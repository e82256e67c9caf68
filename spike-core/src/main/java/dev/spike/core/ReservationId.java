package dev.spike.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Base64;

/**
 * The id of a reservation within its sale: the buyer, and the key that the caller chose. The same
 * key of another buyer is another reservation.
 *
 * <p>The text form ({@link #toString}, {@link #parse}) is URL-safe; treat it as opaque.
 *
 * @param buyer 1 to {@value #MAX_BUYER_BYTES} bytes of UTF-8, no control characters
 * @param key 1 to 64 of {@code A-Z a-z 0-9 _ -}
 */
public record ReservationId(String buyer, String key) {

    /** The longest buyer, in bytes of UTF-8. */
    public static final int MAX_BUYER_BYTES = 128;

    /**
     * An id, checked.
     *
     * @param buyer 1 to {@value #MAX_BUYER_BYTES} bytes of UTF-8, no control characters
     * @param key 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @throws IllegalArgumentException if buyer or key is malformed; the message names it
     */
    public ReservationId {
        requireKey(key);
        requireBuyer(buyer);
    }

    static void requireKey(String key) {
        Check.that(isKey(key), "1 to 64 of A-Z a-z 0-9 _ -", "key", key);
    }

    static boolean isKey(String key) {
        boolean valid = !key.isEmpty() && key.length() <= 64;
        for (int i = 0; valid && i < key.length(); i++) {
            char c = key.charAt(i);
            valid = c >= 'a' && c <= 'z'
                    || c >= 'A' && c <= 'Z'
                    || c >= '0' && c <= '9'
                    || c == '_'
                    || c == '-';
        }
        return valid;
    }

    /**
     * Checks a buyer.
     *
     * @param buyer to be checked
     * @return the buyer
     * @throws IllegalArgumentException if it is not 1 to {@value #MAX_BUYER_BYTES} bytes of UTF-8
     *     without control characters
     */
    public static String requireBuyer(String buyer) {
        boolean valid = !buyer.isEmpty() && buyer.length() <= MAX_BUYER_BYTES;
        int bytes = 0;
        for (int i = 0; valid && i < buyer.length(); i++) {
            char c = buyer.charAt(i);
            if (Character.isSurrogate(c)) {
                valid = Character.isHighSurrogate(c)
                        && i + 1 < buyer.length()
                        && Character.isLowSurrogate(buyer.charAt(i + 1));
                i++;
                bytes += 4;
            } else {
                valid = !Character.isISOControl(c);
                bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
            }
        }
        Check.that(
                valid && bytes <= MAX_BUYER_BYTES,
                "1 to 128 bytes of UTF-8 without control characters",
                "buyer",
                buyer);
        return buyer;
    }

    /**
     * Reads the text form.
     *
     * @param text as {@link #toString} wrote it
     * @return the buyer and the key
     * @throws IllegalArgumentException if the text is not such an id
     */
    public static ReservationId parse(String text) {
        int dot = text.indexOf('.');
        String key = text.substring(dot + 1);
        ReservationId id;
        try {
            id = new ReservationId(dot < 0 ? key : decode(text.substring(0, dot)), key);
        } catch (IllegalArgumentException | CharacterCodingException malformed) {
            throw new IllegalArgumentException("must be a reservation's id: id=" + text, malformed);
        }
        Check.that(id.toString().equals(text), "a reservation's id", "id", text);
        return id;
    }

    private static String decode(String base64) throws CharacterCodingException {
        return UTF_8.newDecoder()
                .decode(ByteBuffer.wrap(Base64.getUrlDecoder().decode(base64)))
                .toString();
    }

    /** A 64-bit hash of buyer and key: FNV-1a over the seed and the UTF-16 units, then mixed. */
    static long hash64(long seed, String buyer, String key) {
        long hash = fnv(fnv(0xcbf29ce484222325L ^ seed, buyer) * 0x100000001b3L, key);
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        return hash ^ (hash >>> 33);
    }

    private static long fnv(long seed, String text) {
        long hash = seed;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    /** The URL-safe text form: of {@code A-Z a-z 0-9 _ - .} only. */
    @Override
    public String toString() {
        return buyer.equals(key)
                ? key
                : Base64.getUrlEncoder().withoutPadding().encodeToString(buyer.getBytes(UTF_8))
                        + "." + key;
    }
}
