package dev.spike.http;

/** In a real PostgreSQL. */
final class JdbcOrderBookPostgresTest extends JdbcOrderBookContract {

    @Override
    String newDatabase() {
        return TestPostgres.newDatabase();
    }

    @Override
    void disconnect(String url) {
        TestPostgres.disconnect(url);
    }
}
