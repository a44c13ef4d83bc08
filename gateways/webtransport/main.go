// Carries what pages and a broker say to each other: a page opens a session of WebTransport and one stream in it, whose bytes
// go to a connection of the broker's own port and back. It knows nothing of what it carries. On standard output comes one line
// of JSON with its port and the digest of its certificate, by which a page knows it. It ends with its standard input, and before
// its certificate does.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

const (
	// Browsers take a certificate by its digest only when it is on the curve P-256 and good for at most 14 days.
	certificateDays = 10
	// It ends before that: whoever started it starts another one.
	servedDays = 9
	// A page that was told why it is turned away ends the session itself, within this time.
	lingering = time.Second
	// A page that is gone without a word is noticed after so long.
	idle      = 6 * time.Second
	keepAlive = 2 * time.Second
	// Bytes that a page may have sent which the broker has not taken.
	window = 1 << 20
)

func certificateFor(address net.IP) (tls.Certificate, [sha256.Size]byte, error) {
	var none [sha256.Size]byte
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, none, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, none, err
	}
	// A clock of another machine may be somewhat behind.
	from := time.Now().Add(-time.Hour)
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "dispatchbench broker"},
		NotBefore:    from,
		NotAfter:     from.AddDate(0, 0, certificateDays),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  []net.IP{address},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, none, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, sha256.Sum256(der), nil
}

// connect asks the broker for a connection that carries frames.
func connect(ctx context.Context, broker, path, protocol string) (net.Conn, *bufio.Reader, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", broker)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", path, broker, protocol)
	reader := bufio.NewReaderSize(connection, 64<<10)
	response, err := http.ReadResponse(reader, nil)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("the broker says %s", response.Status)
	}
	if err != nil {
		connection.Close()
		return nil, nil, err
	}
	return connection, reader, nil
}

// carry copies both ways until either side has ended.
func carry(session *webtransport.Session, broker, path, protocol string) error {
	ctx, cancel := context.WithTimeout(session.Context(), idle)
	defer cancel()
	stream, err := session.AcceptStream(ctx)
	if err != nil {
		return err
	}
	connection, fromBroker, err := connect(ctx, broker, path, protocol)
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		// Whatever ended it: nothing more comes from the page.
		_, _ = io.Copy(connection, stream)
		connection.Close()
	}()
	_, err = io.Copy(stream, fromBroker)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	// What the broker said last has to arrive.
	stream.Close()
	select {
	case <-session.Context().Done():
	case <-time.After(lingering):
	}
	return err
}

func serve(ended context.Context, host string, port int, broker, path, protocol string, most int64) error {
	address := net.ParseIP(host)
	if address == nil || !address.IsLoopback() {
		return fmt.Errorf("%s is no loopback address", host)
	}
	certificate, digest, err := certificateFor(address)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: address, Port: port})
	if err != nil {
		return err
	}
	handler := http.NewServeMux()
	server := webtransport.Server{
		H3: &http3.Server{
			Handler:   handler,
			TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}}),
			QUICConfig: &quic.Config{
				MaxIdleTimeout:                   idle,
				KeepAlivePeriod:                  keepAlive,
				MaxIncomingStreams:               8,
				MaxIncomingUniStreams:            8,
				MaxStreamReceiveWindow:           window,
				MaxConnectionReceiveWindow:       2 * window,
				EnableDatagrams:                  true,
				EnableStreamResetPartialDelivery: true,
			},
		},
		// Whoever has the token may be a provider, wherever its page is from: as with a WebSocket.
		CheckOrigin: func(*http.Request) bool { return true },
	}
	webtransport.ConfigureHTTP3Server(server.H3)
	var sessions atomic.Int64
	handler.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		defer sessions.Add(-1)
		if sessions.Add(1) > most {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		session, err := server.Upgrade(w, r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		words := ""
		if err := carry(session, broker, path, protocol); err != nil {
			words = err.Error()
		}
		_ = session.CloseWithError(0, words)
	})
	line, err := json.Marshal(struct {
		Event       string `json:"event"`
		Port        int    `json:"port"`
		Certificate []byte `json:"certificate"`
	}{"webtransport", socket.LocalAddr().(*net.UDPAddr).Port, digest[:]})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	closed := make(chan error, 1)
	go func() {
		<-ended.Done()
		// Pages are told, and ask the broker again.
		closed <- server.Close()
	}()
	err = server.Serve(socket)
	if ended.Err() == nil {
		return err
	}
	select {
	case <-closed:
	case <-time.After(2 * lingering):
	}
	return nil
}

func main() {
	host := flag.String("host", "127.0.0.1", "loopback address to listen on")
	port := flag.Int("port", 0, "port to listen on; 0: any")
	broker := flag.String("broker", "", "host:port of the broker")
	path := flag.String("path", "/provider", "path here and at the broker")
	protocol := flag.String("protocol", "", "what a connection of the broker is upgraded to")
	most := flag.Int64("sessions", 256, "sessions at the same time")
	flag.Parse()
	// Its advice to change settings of the kernel is not for whoever opens a broker.
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	ended, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	time.AfterFunc(servedDays*24*time.Hour, end)
	if err := serve(ended, *host, *port, *broker, *path, *protocol, *most); err != nil {
		fmt.Fprintf(os.Stderr, "webtransport: %v\n", err)
		os.Exit(1)
	}
}
