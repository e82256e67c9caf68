package dev.spike.bench.load;

import dev.spike.bench.load.Template.Expected;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** What a request goes through, from the generator to its answer. */
enum LoadPath {
    BARE("bare", Kind.BARE, 1, false),
    SOLD_OUT("sold-out", Kind.SOLD_OUT, 1, false),
    SELLING("selling", Kind.SELLING, 1, false),
    MIX("mix", Kind.MIX, 1, false),
    NGINX_SOLD_OUT("nginx-sold-out", Kind.SOLD_OUT, 4, true),
    NGINX_SELLING("nginx-selling", Kind.SELLING, 4, true),
    NGINX_MIX("nginx-mix", Kind.MIX, 4, true);

    /** Who asks for what. */
    enum Kind {
        /** Constant bytes, without anything behind them. */
        BARE,
        /** {@code GET /buy/ticket} of a sale that is sold out. */
        SOLD_OUT,
        /** {@code GET /buy/ticket} of a sale that never ends; each request is its own buyer. */
        SELLING,
        /** 99 of 100 go to a sale that is sold out, 1 to one that sells. */
        MIX
    }

    /** Units that are sold, one by one, before a sale is sold out. */
    static final int SOLD_BEFORE = 1000;

    /** More than can be sold. */
    static final int PLENTY = 100_000_000;

    private static final String YES = "{\"code\":1,";
    private static final String NO = "{\"code\":-1,";
    private static final int MIX_SIZE = 100;

    private final String flag;
    final Kind kind;
    final int servers;
    final boolean nginx;

    LoadPath(String flag, Kind kind, int servers, boolean nginx) {
        this.flag = flag;
        this.kind = kind;
        this.servers = servers;
        this.nginx = nginx;
    }

    /** One who gets a unit of the sale of {@code /buy/ticket}, under a key. */
    static Template buyer(String url) {
        return Template.get(url + "/buy/ticket?buyer=b{n}&rid=rid-{n}", answer(YES));
    }

    /**
     * What is asked for, over and over.
     *
     * @param other the sale that sells, where the one of {@code /buy/ticket} is sold out
     */
    List<Template> cycle(String url, String other) {
        return switch (kind) {
            case BARE, SOLD_OUT -> List.of(Template.get(url + "/buy/ticket", answer(NO)));
            case SELLING -> List.of(Template.get(url + "/buy/ticket", answer(YES)));
            case MIX -> {
                Template no = Template.get(url + "/buy/ticket?buyer=b{n}&rid=rid-{n}", answer(NO));
                Template yes = new Template(
                        "POST",
                        url + "/v1/sales/" + other + "/reservations",
                        List.of("Idempotency-Key: rid-{n}", "Content-Type: application/json"),
                        "{\"buyer\":\"b{n}\",\"quantity\":1}",
                        new Expected(Set.of(201), "{\"id\":"));
                List<Template> cycle = new ArrayList<>(Collections.nCopies(MIX_SIZE, no));
                cycle.set(MIX_SIZE / 2, yes);
                yield List.copyOf(cycle);
            }
        };
    }

    /** Of what is asked for, that which gets a unit each time; only of paths that sell. */
    Template seller(List<Template> cycle) {
        return cycle.get(kind == Kind.MIX ? MIX_SIZE / 2 : 0);
    }

    private static Expected answer(String bodyStart) {
        return new Expected(Set.of(200), bodyStart);
    }

    /** How it is written on the command line and in the table. */
    @Override
    public String toString() {
        return flag;
    }
}
